-- The system's own roles and departments (ROLE-3, ROLE-4, USR-50). What the roles allow stands in records/people/permissions.py.
INSERT INTO people_role (interface, key, name, description) VALUES
    ('backoffice', 'admin', 'Admin', 'Full access to all interfaces and functions'),
    ('backoffice', 'client_manager', 'Client manager', 'Customers, agreements and other client data'),
    ('backoffice', 'finance_manager', 'Finance manager', 'Financial transactions'),
    ('backoffice', 'noc_engineer', 'NOC engineer', 'Monitors, maintains and supports the system'),
    ('backoffice', 'rate_manager', 'Rate manager', 'Services and rate plans'),
    ('client_portal', 'admin', 'Admin', 'Full access'),
    ('client_portal', 'broadcast_manager', 'Broadcast manager', 'Broadcasts'),
    ('client_portal', 'finance_manager', 'Finance manager', 'Financial transactions'),
    ('client_portal', 'noc_engineer', 'NOC engineer', 'Monitoring, maintenance and support');
INSERT INTO people_department (name) VALUES ('Admin'), ('First line support');

-- Whoever is there already could do everything so far, and stays able to.
INSERT INTO people_userrole (user_id, role_id)
SELECT u.id, r.id FROM people_user AS u JOIN people_role AS r ON r.interface = u.interface AND r.key = 'admin'
WHERE NOT u.no_restrictions;
UPDATE people_user SET department_id = (SELECT id FROM people_department WHERE name = 'Admin')
WHERE interface = 'client_portal';
SET CONSTRAINTS ALL IMMEDIATE;

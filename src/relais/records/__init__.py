"""What people edit: the schema (Django applications by business area), its verbs, and scenario files.

Only the control plane imports this package; the data plane reads the same tables by SQL.
"""

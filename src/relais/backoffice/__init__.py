"""The BackOffice: entities and screens declared on the page kit, its log-in, and the process that serves it."""

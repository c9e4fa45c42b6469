"""Price sheets: from the cells of a file to records of a rate tree, and what that changes (RI). Pure: a file's octets, the
dictionaries and the present tree are arguments."""

"""What rates can depend on, one attribute a file: the form of its values and the resources that know it (SV-83, SV-284).

A new attribute is a file here and its word in `Parameter`. Whether a dictionary still holds a value is not decided here (SV-69).
"""

"""What an adapter promises, and where registered ones are found. No protocol, no SQL, no business rule."""

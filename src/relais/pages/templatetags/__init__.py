"""What the kit's templates ask for beyond Django's own tags."""

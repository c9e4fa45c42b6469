"""The Client portal: what a company has as a client, declared on the page kit and served beside the BackOffice."""

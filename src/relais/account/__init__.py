"""Log-in and My account, for any site of the kit: `urls.account_urls(site)` mounts them among its pages."""

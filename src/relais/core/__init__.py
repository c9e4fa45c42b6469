"""Pure rules of the product: values in, values out; `now` is an argument. No socket, no clock, no driver, no logging."""

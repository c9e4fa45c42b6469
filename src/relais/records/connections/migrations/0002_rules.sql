SELECT config_watch('connections_vendorsmppconnection');

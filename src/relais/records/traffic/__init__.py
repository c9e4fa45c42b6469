"""Messages, EDRs and queues: tables written by the data plane in batches; Django only creates and reads them."""

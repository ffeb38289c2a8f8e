"""The timer's function: reads the tokens from Microsoft Graph and queues what must be told."""

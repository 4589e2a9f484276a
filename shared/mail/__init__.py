"""Campaign mail as it is handed to SES."""

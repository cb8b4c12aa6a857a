"""The connections to customers' accounts: how they are created, changed, logged in, and kept ready to be polled."""

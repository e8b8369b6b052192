"""Rules of admission that users write: what webhooks and policies match, and what the expressions of policies say."""

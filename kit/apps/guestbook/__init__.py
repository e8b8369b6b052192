"""The guestbook: `handler` is pure, `server` is its edge."""

"""YouTube: live chats by the Data API, as records."""

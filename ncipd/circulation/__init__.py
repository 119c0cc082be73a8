"""The domain: agencies, items, requests, loans, and the rules by which they change."""

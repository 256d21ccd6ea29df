"""What is handed from one part to the next: small frozen records, without a word on who makes or uses them."""

"""What every black-box suite shares: starting a server, talking to it raw, reading its memory."""

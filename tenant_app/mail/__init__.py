"""Writing mails, and handing out what came with them: bodies, files, raw messages."""

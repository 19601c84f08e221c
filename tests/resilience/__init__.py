"""What is killed without warning while mails arrive: the others go on, it comes back, nothing acknowledged is lost."""

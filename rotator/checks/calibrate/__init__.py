"""`calibrate`: what an org does, found out by experiments on an app that nobody needs (protocol section 6)."""

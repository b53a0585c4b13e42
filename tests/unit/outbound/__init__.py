"""The door to other hosts: whom it opens to, how long it waits, how much it takes."""

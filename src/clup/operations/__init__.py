"""What pyinfra lacks: operations that prove their result, and refuse rather than guess."""

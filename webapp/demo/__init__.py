"""The whole program on one machine: made-up clients, Redis, a mail catcher, a worker and the web server, under one supervisor."""

"""What the demo's web server serves: `webapp.demo.web:app`."""

from webapp import private
from webapp.adapters import logs
from webapp.app import create_app
from webapp.demo.gate import Gate
from webapp.environ import or_exit

private.umask()
with or_exit():
    console = create_app()
logs.set_up(console.config["LOG_LEVEL"], console.config["LOG_JSON"])
app = Gate(console)

"""What the demo's web server serves: `webapp.demo.web:app`."""

from webapp import private
from webapp.app import create_app
from webapp.demo.gate import Gate
from webapp.environ import or_exit

private.umask()
with or_exit():
    app = Gate(create_app())

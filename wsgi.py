from webapp import private
from webapp.adapters import logs
from webapp.app import create_app
from webapp.environ import or_exit, read_env_file

private.umask()
with or_exit():
    read_env_file()
    app = create_app()
logs.set_up(app.config["LOG_LEVEL"], app.config["LOG_JSON"])

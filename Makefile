# One line each; machines without make run what stands behind the name.
PYTHON ?= python3

.PHONY: demo cards test survive check audit bicep format serve docs mutants package bench lock
demo: ; $(PYTHON) -m sandbox demo $(if $(DAYS),--days $(DAYS))
cards: ; $(PYTHON) -m sandbox cards $(ARGS)
test: ; $(PYTHON) -m sandbox test $(ARGS)
survive: ; $(PYTHON) -m sandbox survive $(ARGS)
check: ; $(PYTHON) -m sandbox check
audit: ; $(PYTHON) -m sandbox audit
bicep: ; $(PYTHON) -m sandbox bicep $(ARGS)
format: ; $(PYTHON) -m sandbox format
serve: ; $(PYTHON) -m sandbox serve
docs: ; $(PYTHON) -m sandbox docs
mutants: ; $(PYTHON) -m sandbox mutants $(ARGS)
package: ; $(PYTHON) -m sandbox package $(ARGS)
bench: ; $(PYTHON) -m sandbox bench $(ARGS)
lock: ; $(PYTHON) -m sandbox lock

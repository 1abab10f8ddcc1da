# Traffic Control. Every target is one call of dev.py, which needs nothing but Python 3.11 or newer.
#
#   make run PORT=8001         any setting may stand on the line or in the environment
#   make test ARGS="-k retry"  ARGS go to the command as they are
#   make run PYTHON=python3.12 another interpreter

NEW_ENOUGH = $(shell for p in python3.11 python3.12 python3.13 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
PYTHON ?= $(or $(NEW_ENOUGH),python3)
COMMANDS = help setup run test mission soak model fuzz browser coverage lint format check lock bench bench-quick growth bad-keys chaos chaos-quick fairness chaos-sabotage chaos-soak manage migrate openapi sbom audit-dependencies clean

.DEFAULT_GOAL = help
.PHONY: $(COMMANDS) test-pg15

$(COMMANDS):
	@$(PYTHON) dev.py $@ $(ARGS)

test-pg15:
	@$(PYTHON) dev.py test --system-postgres $(ARGS)

# The same rule as `load-tests/transport/equal-rule.ts` has for Switchyard: a frozen tenant may only read.
package switchyard.authz

default allowed := true

allowed := false if {
	input.headers["x-tenant"] == "frozen"
	not input.method in {"GET", "HEAD", "OPTIONS"}
}

decision := {"allowed": allowed, "metadata": {"epoch": 1, "set": "equal-rule", "cohort": "control"}}

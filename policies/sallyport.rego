# METADATA
# title: Who may be issued what
# description: |
#   Input is one request (PolicyQuestion in src/broker/ports/policy.ts); data.grants is what the contract grants, indexed by
#   tenant, service and action (PolicyData in src/contract/policy-data.ts). The answer is the first grant that covers the request,
#   or the first of the checks that no grant passed.
package sallyport

default decision := {"allow": false, "reason": "no_grant"}

# A request for more than one thing is refused before anything is looked up, whatever the grants say.
decision := {"allow": false, "reason": "wildcard"} if {
	asks_for_many
} else := {"allow": true, "grant": long_enough[0].id} if {
	count(long_enough) > 0
} else := {"allow": false, "reason": "duration"} if {
	count(covering) > 0
} else := {"allow": false, "reason": "resource"} if {
	count(in_mode) > 0
} else := {"allow": false, "reason": "mode"} if {
	count(on_plane) > 0
} else := {"allow": false, "reason": "plane"} if {
	count(held) > 0
}

asks_for_many if {
	some field in ["agent", "service", "action", "resource"]
	some sign in ["*", "?", "[", "]", "{", "}"]
	contains(input[field], sign)
}

# Each list is the one before it, narrowed by one check; all keep the order of the contract.
held := [grant |
	some grant in data.grants[input.tenant][input.service][input.action]
	names_agent(grant)
]

on_plane := [grant | some grant in held; input.plane in grant.planes]

in_mode := [grant | some grant in on_plane; input.mode in grant.modes]

covering := [grant | some grant in in_mode; covers(grant)]

# Rego orders values of different types, so that null is less than 900 and 900 is less than "1": both must be numbers.
long_enough := [grant |
	is_number(input.duration_seconds)
	input.duration_seconds >= 1
	some grant in covering
	is_number(grant.max_duration_seconds)
	input.duration_seconds <= grant.max_duration_seconds
]

names_agent(grant) if input.agent in grant.agents

names_agent(grant) if "*" in grant.agents

covers(grant) if input.resource in grant.resources

# A pattern with one star is compared by its ends: a regular expression would be compiled anew for each decision.
covers(grant) if {
	some span in grant.spans
	startswith(input.resource, span.before)
	endswith(input.resource, span.after)
	length := (count(input.resource) - count(span.before)) - count(span.after)
	length >= 0
	reaches(span, length)
}

covers(grant) if {
	some expression in grant.expressions
	regex.match(expression, input.resource)
}

reaches(span, _) if span.slashes == true

reaches(span, length) if {
	span.slashes == false
	not contains(substring(input.resource, count(span.before), length), "/")
}

package sallyport_test

import data.sallyport

question := {
	"tenant": "acme",
	"agent": "agent-7",
	"plane": "machine",
	"mode": "PROD",
	"service": "orders-db",
	"action": "read-table",
	"resource": "public.orders",
	"duration_seconds": 900,
}

grant := {
	"id": "reads-orders",
	"agents": ["agent-7"],
	"planes": ["machine"],
	"modes": ["PROD"],
	"resources": ["public.orders", "logs.*"],
	"spans": [{"before": "logs.", "after": "", "slashes": false}],
	"expressions": [],
	"max_duration_seconds": 900,
}

with_id(id) := object.union(grant, {"id": id})

grants(list) := {"acme": {"orders-db": {"read-table": list}}}

decide(change, list) := answer if {
	answer := sallyport.decision with input as object.union(question, change) with data.grants as grants(list)
}

allowed(id) := {"allow": true, "grant": id}

denied(reason) := {"allow": false, "reason": reason}

test_the_request_of_the_grant_is_allowed if decide({}, [grant]) == allowed("reads-orders")

test_a_pattern_allows if decide({"resource": "logs.today"}, [grant]) == allowed("reads-orders")

test_a_span_covers_what_has_its_ends_and_no_slash_between if {
	within := object.union(grant, {"spans": [{"before": "a/", "after": "/z", "slashes": false}]})
	across := object.union(grant, {"spans": [{"before": "a/", "after": "/z", "slashes": true}]})
	every resource in ["a//z", "a/b/z", "a/é.z/z"] {
		decide({"resource": resource}, [within]) == allowed("reads-orders")
	}
	every resource in ["a/z", "a/b/c/z", "a/b/zz", "b/b/z", "a", ""] {
		decide({"resource": resource}, [within]) == denied("resource")
	}
	decide({"resource": "a/b/c/z"}, [across]) == allowed("reads-orders")
	decide({"resource": "a/z"}, [across]) == denied("resource")
}

test_a_pattern_with_more_stars_is_an_expression if {
	starred := object.union(grant, {"spans": [], "expressions": [`^(?s:[^/]*\.[^/]*)$`]})
	decide({"resource": "logs.today"}, [starred]) == allowed("reads-orders")
	decide({"resource": "logs/x.today"}, [starred]) == denied("resource")
}

test_every_agent_is_a_star if decide({"agent": "agent-9"}, [object.union(grant, {"agents": ["*"]})]) == allowed("reads-orders")

test_a_whole_number_of_seconds_up_to_the_maximum_is_allowed if {
	every seconds in [1, 899, 900] {
		decide({"duration_seconds": seconds}, [grant]) == allowed("reads-orders")
	}
}

test_the_first_grant_in_the_order_of_the_contract_decides if {
	decide({}, [with_id("b"), with_id("a")]) == allowed("b")
	decide({}, [object.union(with_id("b"), {"modes": ["LOCAL"]}), with_id("a")]) == allowed("a")
}

test_each_reason if {
	reasons := {
		"no_grant": [{"tenant": "globex"}, {"agent": "agent-8"}, {"service": "files"}, {"action": "write-table"}],
		"plane": [{"plane": "human"}, {"plane": "human", "mode": "LOCAL", "resource": "x"}],
		"mode": [{"mode": "LOCAL"}, {"mode": "LOCAL", "resource": "x"}],
		"resource": [{"resource": "public.orders2"}, {"resource": "logs.a/b"}, {"resource": "xlogs.a"}, {"resource": ""}],
		"duration": [{"duration_seconds": 901}, {"duration_seconds": 0}, {"duration_seconds": -1}],
	}
	every reason, changes in reasons {
		every change in changes {
			decide(change, [grant]) == denied(reason)
		}
	}
}

test_the_reason_is_of_the_grant_that_came_furthest if {
	nearer := object.union(with_id("nearer"), {"resources": ["public.other"], "spans": []})
	farther := object.union(with_id("farther"), {"planes": ["human"]})
	decide({}, [farther, nearer, farther]) == denied("resource")
}

test_wildcards_are_refused_whatever_the_grants_say if {
	everything := object.union(grant, {"agents": ["*"], "resources": ["*", "s3:*"], "spans": [{"before": "", "after": "", "slashes": true}]})
	every field in ["agent", "service", "action", "resource"] {
		every text in ["*", "**", "s3:*", "a?", "[a-z]", "a]", "{a,b}", "}"] {
			decide({field: text}, [everything]) == denied("wildcard")
		}
	}
}

test_wildcards_are_refused_over_broken_data if {
	every broken in [null, 1, "grants", [], {"acme": 1}, {"acme": {"orders-db": {"read-table": "all"}}}] {
		sallyport.decision == denied("wildcard") with data.grants as broken
			with input as object.union(question, {"resource": "*"})
	}
}

test_broken_data_never_allows if {
	every broken in [null, 1, "grants", [], {"acme": 1}, {"acme": {"orders-db": {"read-table": "all"}}}] {
		sallyport.decision == denied("no_grant") with data.grants as broken with input as question
	}
}

test_a_grant_without_a_list_or_with_a_wrong_one_never_allows if {
	every field in ["agents", "planes", "modes", "max_duration_seconds"] {
		not decide({}, [object.remove(grant, [field])]).allow
		every wrong in [null, true, 0, "machine", "9999", [], {}] {
			not decide({}, [object.union(grant, {field: wrong})]).allow
		}
	}
	not decide({}, [object.remove(grant, ["resources"])]).allow
	everything := {"before": "", "after": "", "slashes": true}
	every field in ["before", "after", "slashes"] {
		not decide({"resource": "x"}, [object.union(grant, {"spans": [object.remove(everything, [field])]})]).allow
		every wrong in [null, 0, "true", [], {}, ["x"]] {
			not decide({"resource": "x"}, [object.union(grant, {"spans": [object.union(everything, {field: wrong})]})]).allow
		}
	}
}

test_a_question_without_a_field_or_with_a_wrong_one_never_allows if {
	every field, _ in question {
		not sallyport.decision.allow with input as object.remove(question, [field]) with data.grants as grants([grant])
		every wrong in [null, true, false, "", "0", [], {}, ["public.orders"]] {
			not decide({field: wrong}, [grant]).allow
		}
	}
	not sallyport.decision.allow with input as {} with data.grants as grants([grant])
	not sallyport.decision.allow with input as "all" with data.grants as grants([grant])
}

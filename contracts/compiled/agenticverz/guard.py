# Compiled by sallyport from agenticverz.yaml. Do not edit it: compile the contract again.
"""The guard of the environment contract agenticverz.

    from sallyport_guard import enforce
    env = enforce()             # stops the program with exit code 78, or gives the variables in their types

    python3 guard.py [--scope runtime|migrate|seed]
"""
import hashlib
import json
import os
import re
import sys

CONTRACT = {"name": "agenticverz", "file": "agenticverz.yaml", "digest": "sha256:fc306137e18fdfd4971037370d69029b8a3cde018ae58c942854fa9d6ac79028"}
DISCRIMINATORS = ["AOS_MODE", "DB_AUTHORITY"]
SCOPES = ["runtime", "migrate", "seed"]
MODES = [
    ("LOCAL", {"AOS_MODE": "local", "DB_AUTHORITY": "local"}),
    ("TEST", {"AOS_MODE": "test", "DB_AUTHORITY": "neon"}),
    ("PREPROD", {"AOS_MODE": "preprod", "DB_AUTHORITY": "neon"}),
    ("PROD", {"AOS_MODE": "prod", "DB_AUTHORITY": "neon"}),
]

# name: (owner, secret paths, sensitive, expected, kind, required at, fixed by mode, internal, enum, minimum, maximum, schemes, pattern)
VARIABLES = {
    "AOS_MODE": ("Platform", [], False, "one of local, test, preprod, prod", "text", set(), {}, False, None, None, None, None, None),
    "DB_AUTHORITY": ("Platform", [], False, "one of local, neon", "text", set(), {}, False, None, None, None, None, None),
    "DATABASE_URL": ("Platform", ["agenticverz/database", "secret/data/user/neon"], True, "a URI, with the scheme postgresql or postgres", "uri", {"runtime TEST", "runtime PREPROD", "runtime PROD", "migrate LOCAL", "migrate TEST", "migrate PREPROD", "migrate PROD", "migrate ?", "seed LOCAL", "seed TEST", "seed PREPROD", "seed PROD", "seed ?"}, {}, False, None, None, None, ["postgresql", "postgres"], None),
    "DATABASE_URL_ASYNC": ("Platform", [], True, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "REDIS_URL": ("Platform", ["secret/data/user/upstash"], True, "a URI, with the scheme redis or rediss", "uri", set(), {}, False, None, None, None, ["redis", "rediss"], None),
    "PORT": ("Platform", [], False, "a port from 0 to 65535", "port", set(), {}, False, None, None, None, None, None),
    "DB_POOL_SIZE": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "DB_MAX_OVERFLOW": ("Platform", [], False, "a whole number, at least -1", "integer", set(), {}, False, None, -1, None, None, None),
    "ENV": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "HOST": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "AOS_ENVIRONMENT": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "GIT_COMMIT_SHA": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "HOSTNAME": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "DB_ROLE": ("Platform", [], False, "one of staging, prod, replica", "text", {"migrate LOCAL", "migrate TEST", "migrate PREPROD", "migrate PROD", "migrate ?"}, {}, False, ["staging", "prod", "replica"], None, None, None, None),
    "CONFIRM_PROD_MIGRATIONS": ("Platform", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "AOS_API_KEY": ("Auth", ["agenticverz/app-prod"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "MACHINE_SECRET_TOKEN": ("Auth", ["agenticverz/app-prod"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "AOS_FOPS_SECRET": ("Auth", [], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "AOS_MACHINE_TOKEN": ("Auth", [], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "AOS_OPERATOR_TOKEN": ("Auth", [], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "AOS_USE_LEGACY_AUTH": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "RBAC_ENABLED": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "RBAC_ENFORCE": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "RBAC_FAIL_OPEN": ("Auth", [], False, "true or false", "boolean", set(), {"LOCAL": "false", "TEST": "false", "PREPROD": "false", "PROD": "false", "?": "false"}, False, None, None, None, None, None),
    "RBAC_AUDIT_ENABLED": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "RBAC_SHADOW_AUDIT": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "AUTHZ_STRICT_MODE": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "AUTH_GATEWAY_ENABLED": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "AUTH_GATEWAY_REQUIRED": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "AUTH_SERVICE_URL": ("Auth", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "AUTH_SERVICE_TIMEOUT": ("Auth", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "DEV_AUTH_ENABLED": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "NEW_AUTH_SHADOW_ENABLED": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "AOS_VERIFICATION_MODE": ("Auth", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "RBAC_POLICY_FILE": ("Auth", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "AUTHZ_PHASE": ("Auth", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "DEV_DEFAULT_ROLE": ("Auth", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "OIDC_ISSUER_URL": ("Auth", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "OIDC_CLIENT_SECRET": ("Auth", ["agenticverz/app-prod"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "OIDC_VERIFY_SSL": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "OIDC_ALLOWED_AUDIENCES": ("Auth", [], False, "items separated by commas", "list", set(), {}, False, None, None, None, None, None),
    "OIDC_JWKS_URI": ("Auth", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "OIDC_JWKS_URL": ("Auth", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "CLERK_ISSUER_URL": ("Auth", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "CLERK_ISSUERS": ("Auth", [], False, "items separated by commas", "list", set(), {}, False, None, None, None, None, None),
    "CLERK_JWKS_URL": ("Auth", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "CLERK_SECRET_KEY": ("Auth", ["unspecified"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "JWT_SECRET": ("Auth", [], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "JWT_VERIFY_SIGNATURE": ("Auth", [], False, "true or false", "boolean", set(), {"LOCAL": "true", "TEST": "true", "PREPROD": "true", "PROD": "true", "?": "true"}, False, None, None, None, None, None),
    "JWT_ALLOW_DEV_TOKEN": ("Auth", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "JWT_DEV_SECRET": ("Auth", [], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "OIDC_CLIENT_ID": ("Auth", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "OIDC_AUDIENCE": ("Auth", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ANTHROPIC_API_KEY": ("LLM", ["agenticverz/external-apis", "secret/data/user/anthropic"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "OPENAI_API_KEY": ("LLM", ["agenticverz/external-apis", "secret/data/user/openai"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "LLM_ALLOWED_MODELS": ("LLM", [], False, "items separated by commas", "list", set(), {}, False, None, None, None, None, None),
    "LLM_MAX_TOKENS_PER_REQUEST": ("LLM", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "LLM_MAX_COMPLETION_TOKENS": ("LLM", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "LLM_MAX_COST_CENTS_PER_REQUEST": ("LLM", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "LLM_REQUESTS_PER_MINUTE": ("LLM", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "LLM_DAILY_LIMIT_CENTS": ("LLM", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "LLM_BUDGET_CENTS": ("LLM", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "LLM_CACHE_ENABLED": ("LLM", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "LLM_CACHE_TTL": ("LLM", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "LLM_CACHE_MAX_SIZE": ("LLM", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "LLM_ENFORCE_SAFETY": ("LLM", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "LLM_RISK_THRESHOLD": ("LLM", [], False, "a number", "number", set(), {}, False, None, None, None, None, None),
    "LLM_MAX_TEMPERATURE": ("LLM", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "PLANNER_BACKEND": ("LLM", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "LLM_ADAPTER": ("LLM", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "OPENAI_DEFAULT_MODEL": ("LLM", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "DEFAULT_LLM_MODEL": ("LLM", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "DEFAULT_LLM_FALLBACK_MODEL": ("LLM", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "PROXY_DEFAULT_MODEL": ("LLM", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "WORKER_CONCURRENCY": ("Worker", [], False, "a whole number, at least 1", "integer", set(), {}, False, None, 1, None, None, None),
    "WORKER_POLL_INTERVAL": ("Worker", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "WORKER_BATCH_SIZE": ("Worker", [], False, "a whole number, at least 1", "integer", set(), {}, False, None, 1, None, None, None),
    "RUN_MAX_ATTEMPTS": ("Worker", [], False, "a whole number, at least 1", "integer", set(), {}, False, None, 1, None, None, None),
    "WORKFLOW_EMERGENCY_STOP": ("Worker", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "CONCURRENT_SLOT_TIMEOUT": ("Worker", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "EVENT_PUBLISHER": ("Worker", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ENFORCE_TENANCY": ("Platform", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "CUSTOMER_SANDBOX_ENABLED": ("Platform", [], False, "true or false", "boolean", {"runtime LOCAL", "runtime PROD", "migrate LOCAL", "migrate PROD", "seed LOCAL", "seed PROD"}, {"LOCAL": "true", "PREPROD": "false", "PROD": "false"}, False, None, None, None, None, None),
    "DEFAULT_TENANT_BUDGET_CENTS": ("Platform", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "DEFAULT_TENANT_RATE_LIMIT": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "TENANT_HEADER": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "DEFAULT_TENANT": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "TENANT_MODE": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "TENANT_LLM_CONFIG_SOURCE": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "HOC_DENY_AS_404": ("Console", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "HOC_DOCS_ENABLED": ("Console", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "CONSOLE_MODE": ("Console", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "DATA_MODE": ("Console", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ACTION_MODE": ("Console", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "GOVERNANCE_PROFILE": ("Console", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "R2_ACCESS_KEY_ID": ("Storage", ["secret/data/user/r2"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "R2_SECRET_ACCESS_KEY": ("Storage", ["secret/data/user/r2"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "R2_ENDPOINT": ("Storage", ["secret/data/user/r2"], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "R2_BUCKET": ("Storage", ["secret/data/user/r2"], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "R2_RETENTION_DAYS": ("Storage", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "R2_MAX_RETRIES": ("Storage", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "AGG_LOCAL_FALLBACK": ("Storage", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "ARTIFACT_S3_ENDPOINT": ("Storage", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "R2_ACCOUNT_ID": ("Storage", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "R2_UPLOAD_PREFIX": ("Storage", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ARTIFACT_BACKEND": ("Storage", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ARTIFACT_LOCAL_PATH": ("Storage", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ARTIFACT_S3_BUCKET": ("Storage", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ARTIFACT_S3_PREFIX": ("Storage", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "CHECKPOINT_RETENTION_DAYS": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "CHECKPOINT_OFFLOAD_BATCH_SIZE": ("Platform", [], False, "a whole number, at least 1", "integer", set(), {}, False, None, 1, None, None, None),
    "CHECKPOINT_OFFLOAD_MAX_RETRIES": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "BUDGET_STORE": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "CHECKPOINT_STORE": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "ALERTMANAGER_URL": ("SRE", [], False, "a URI", "uri", set(), {}, False, None, None, None, None, None),
    "ALERTMANAGER_TIMEOUT": ("SRE", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "ALERTMANAGER_RETRY_ATTEMPTS": ("SRE", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "ALERTMANAGER_RETRY_DELAY": ("SRE", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "ALERT_FATIGUE_ENABLED": ("SRE", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "ALERT_DEDUP_WINDOW_SECONDS": ("SRE", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "MAX_ALERTS_PER_TENANT_PER_HOUR": ("SRE", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "HEALTH_CHECK_TIMEOUT_SECONDS": ("SRE", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "OBSERVABILITY_MODE": ("SRE", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "PER_RUN_MAX_CENTS": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "PER_DAY_MAX_CENTS": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "DEFAULT_EST_COST_CENTS": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "DEFAULT_STEP_CEILING_CENTS": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "DEFAULT_WORKFLOW_CEILING_CENTS": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "BUDGET_ALERT_THRESHOLD": ("Cost", [], False, "a number", "number", set(), {}, False, None, None, None, None, None),
    "AUTO_PAUSE_ON_BREACH": ("Cost", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "GPT4_MAX_CENTS_PER_RUN": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "OPUS_MAX_CENTS_PER_RUN": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "COST_SPIKE_THRESHOLD_PERCENT": ("Cost", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "COST_SPIKE_MIN_RUNS": ("Cost", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "AOS_COST_ENFORCEMENT": ("Cost", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "COSTSIM_AUTO_RECOVER": ("Analytics", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "COSTSIM_CANARY_ENABLED": ("Analytics", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "COSTSIM_DISABLE_TTL_HOURS": ("Analytics", [], False, "a number, at least 0", "number", set(), {}, False, None, 0, None, None, None),
    "COSTSIM_DRIFT_THRESHOLD": ("Analytics", [], False, "a number", "number", set(), {}, False, None, None, None, None, None),
    "COSTSIM_DRIFT_WARNING_THRESHOLD": ("Analytics", [], False, "a number", "number", set(), {}, False, None, None, None, None, None),
    "COSTSIM_FAILURE_THRESHOLD": ("Analytics", [], False, "a number", "number", set(), {}, False, None, None, None, None, None),
    "COSTSIM_PROVENANCE_ENABLED": ("Analytics", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "COSTSIM_SCHEMA_ERROR_THRESHOLD": ("Analytics", [], False, "a number", "number", set(), {}, False, None, None, None, None, None),
    "COSTSIM_USE_DB_CB": ("Analytics", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "COSTSIM_V2_AUTO_DISABLE": ("Analytics", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "COSTSIM_V2_SANDBOX": ("Analytics", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "COSTSIM_ADAPTER_VERSION": ("Analytics", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "COSTSIM_ARTIFACTS_DIR": ("Analytics", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "COSTSIM_DISABLE_FILE": ("Analytics", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "COSTSIM_MODEL_VERSION": ("Analytics", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "WEBHOOK_SECRET_V1": ("Platform", ["unspecified"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "WEBHOOK_SECRET_V2": ("Platform", ["unspecified"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "WEBHOOK_SIGNING_SECRET": ("Platform", ["unspecified"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "WEBHOOK_KEY_VERSION": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "WEBHOOK_KEY_GRACE_VERSIONS": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "RATE_LIMIT_ENABLED": ("Platform", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "RATE_LIMIT_DEFAULT_RPM": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "RATE_LIMIT_BURST_RPM": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "HOC_PROBE_RATE_LIMIT_ENABLED": ("Platform", [], False, "true or false", "boolean", set(), {}, False, None, None, None, None, None),
    "HOC_PROBE_RATE_PER_MIN": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "SANDBOX_RATE_LIMIT_PER_MINUTE": ("Platform", [], False, "a whole number, at least 0", "integer", set(), {}, False, None, 0, None, None, None),
    "VAULT_ADDR": ("Platform", [], False, "a URI, with the scheme https or http", "uri", set(), {}, False, None, None, None, ["https", "http"], None),
    "VAULT_TOKEN": ("Platform", [], True, "text", "text", set(), {}, True, None, None, None, None, None),
    "CREDENTIAL_VAULT_PROVIDER": ("Platform", [], False, "text", "text", set(), {}, False, None, None, None, None, None),
    "POSTGRES_USER": ("Platform", ["agenticverz/database"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "POSTGRES_PASSWORD": ("Platform", ["agenticverz/database"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "KEYCLOAK_DB_USER": ("Platform", ["agenticverz/database"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "KEYCLOAK_DB_PASSWORD": ("Platform", ["agenticverz/database"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "GITHUB_TOKEN": ("CI", ["agenticverz/external-apis"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "KEYCLOAK_ADMIN": ("Auth", ["agenticverz/keycloak-admin"], True, "text", "text", set(), {}, False, None, None, None, None, None),
    "KEYCLOAK_ADMIN_PASSWORD": ("Auth", ["agenticverz/keycloak-admin"], True, "text", "text", set(), {}, False, None, None, None, None, None),
}

# (variable, when, message)
PROHIBITIONS = [
    ("JWT_ALLOW_DEV_TOKEN", "truthy", "JWT_ALLOW_DEV_TOKEN is forbidden everywhere by fake-jwts (critical-violation): Undermines trust model."),
    ("DEV_AUTH_ENABLED", "truthy", "DEV_AUTH_ENABLED is forbidden everywhere by dev-bypass-flags (high): Security theater."),
    ("JWT_ALLOW_DEV_TOKEN", "truthy", "JWT_ALLOW_DEV_TOKEN is forbidden everywhere by dev-bypass-flags (high): Security theater."),
    ("DEV_DEFAULT_ROLE", "present", "DEV_DEFAULT_ROLE is forbidden everywhere by dev-bypass-flags (high): Security theater."),
    ("JWT_DEV_SECRET", "present", "JWT_DEV_SECRET is forbidden everywhere by dev-bypass-flags (high): Security theater."),
]

MIGRATION = ("DB_ROLE", {"staging": ("allow", None), "prod": ("confirm", ("CONFIRM_PROD_MIGRATIONS", "true")), "replica": ("deny", None)}, {"LOCAL": "staging", "TEST": "staging", "PREPROD": "staging", "PROD": "prod"}, (("CONFIRM_PROD_MIGRATIONS", "true"), ))


def check(env, scope="runtime", seen_by="program"):
    """Every problem at once, as dictionaries with code, variable, owner, secret_paths, message, expected, seen; and the mode, or None."""
    found = []

    def add(code, variable, message, expected, value=None, sensitive=True):
        owner, paths = VARIABLES[variable][:2] if variable in VARIABLES else (None, [])
        found.append({"code": code, "variable": variable, "owner": owner, "secret_paths": paths, "message": message,
                      "expected": expected, "seen": _seen(value, sensitive)})

    if env.get("SALLYPORT_CONTRACT_DIGEST", CONTRACT["digest"]) != CONTRACT["digest"]:
        add("E103", None, "This guard is of another contract.", CONTRACT["digest"])
    if scope not in SCOPES:
        add("E102", None, "There is no such scope.", "one of " + ", ".join(SCOPES), scope, False)
    mode = next((name for name, match in MODES if all(env.get(key) == value for key, value in match.items())), None)
    at = "?" if mode is None else mode
    if mode is None:
        seen = " ".join(name + "=" + _seen(env.get(name), False) for name in DISCRIMINATORS)
        tuples = " ".join(name + "(" + ",".join(match[key] for key in DISCRIMINATORS) + ")" for name, match in MODES)
        add("E101", None, "No mode has " + seen + ".", ",".join(DISCRIMINATORS) + " as in " + tuples)
    for name, rule in VARIABLES.items():
        code, expected = _fault(env.get(name), rule, scope, at, seen_by == "program")
        if code is not None:
            add(code, name, name + " " + WORDS[code] + ".", expected, env.get(name), rule[2])
    for variable, when, message in PROHIBITIONS:
        value = env.get(variable)
        if value is not None and (when == "present" or value.lower() not in FALSY):
            add("E401", variable, message, "not set", value, VARIABLES[variable][2] if variable in VARIABLES else True)
    if MIGRATION is not None:
        _migration(env, at, scope == "migrate", add)
    return mode, found


FALSY = ("", "0", "false", "no", "off")

WORDS = {
    "E201": "is required",
    "E202": "is of another type",
    "E203": "has none of its values",
    "E204": "is fixed",
    "E205": "is out of range",
    "E206": "has the wrong scheme",
    "E207": "does not match its pattern",
    "E208": "is the launcher's alone",
}


def _fault(value, rule, scope, at, program):
    _, _, _, expected, kind, required, fixed, internal, values, minimum, maximum, schemes, pattern = rule
    if not value and scope + " " + at in required:
        return "E201", fixed.get(at, expected)
    if value is None:
        return None, None
    if internal and program:
        return "E208", "not set"
    if at in fixed:
        return (None, None) if value == fixed[at] else ("E204", fixed[at])
    if not KINDS[kind](value):
        return "E202", expected
    if values is not None and value not in values:
        return "E203", expected
    if (minimum is not None and float(value) < minimum) or (maximum is not None and float(value) > maximum):
        return "E205", expected
    if schemes is not None and value.split(":", 1)[0] not in schemes:
        return "E206", expected
    # Patterns are asked of printable ASCII alone, of at most 1024 characters.
    if pattern is not None and not (re.fullmatch(r"[\x20-\x7e]{0,1024}", value) and re.search(pattern, value)):
        return "E207", expected
    return None, None


def _migration(env, mode, is_migration, add):
    variable, roles, role_by_mode, confirmations = MIGRATION
    name = env.get(variable)
    if name in roles:
        migrate, confirm = roles[name]
        wanted = role_by_mode.get(mode)
        if is_migration and migrate == "deny":
            add("E301", variable, "A database with the role " + name + " never takes a migration.", "another role", name, False)
        if is_migration and migrate == "confirm" and confirm is not None and env.get(confirm[0]) != confirm[1]:
            add("E302", confirm[0], "A migration of " + name + " has to be confirmed.", confirm[1], env.get(confirm[0]), False)
        if migrate != "deny" and wanted is not None and wanted != name:
            add("E303", variable, "The mode " + mode + " has a database with the role " + wanted + ".", wanted, name, False)
    for variable, value in () if is_migration else confirmations:
        if env.get(variable) == value:
            add("E304", variable, variable + " confirms a migration, and nothing is migrated here.", "not " + value, value, False)


def _seen(value, sensitive):
    """Nothing but its length is said of a sensitive value, and of what looks like a secret in the wrong place."""
    if value is None:
        return "not set"
    if value == "":
        return "set, but empty"
    length = "set, %d characters" % len(value)
    if sensitive or not re.fullmatch(r"[\x20-\x7e]*", value) or ("://" in value and re.search("[@?]", value)):
        return length
    if re.search("[A-Za-z0-9+/=_.-]{32}", value):
        return length
    return value if len(value) <= 60 else length


def _is(pattern):
    expression = re.compile(pattern)
    return lambda value: expression.fullmatch(value) is not None


def _is_number(value):
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is not None and len(re.sub("[-.]", "", value)) <= 15


def _is_json(value):
    if _depth(value) > 64:
        return False
    try:
        # Numbers are not read: those of JSON may be longer than those of Python.
        json.loads(value, parse_int=str, parse_float=str, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(_):
    raise ValueError("no constant of JSON")


def _depth(value):
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", value)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


KINDS = {
    "text": lambda value: True,
    "boolean": lambda value: value in ("true", "false"),
    "integer": _is(r"-?[0-9]{1,15}"),
    "number": _is_number,
    "port": lambda value: re.fullmatch("[0-9]{1,5}", value) is not None and int(value) <= 65535,
    "uri": _is(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+"),
    "duration": _is("[0-9]{1,9}(ms|[smhd])?"),
    "list": lambda value: value != "" and all(item != "" for item in value.split(",")),
    "json": _is_json,
}

READERS = {
    "boolean": lambda value: value == "true",
    "integer": int,
    "number": float,
    "port": int,
    "list": lambda value: value.split(","),
    "json": json.loads,
}


def enforce(scope="runtime", env=None):
    """Stops the program with exit code 78 and every problem on standard error, or gives the declared variables in their types."""
    env = dict(os.environ if env is None else env)
    mode = _checked(env, scope, "program")
    values = {name: READERS.get(rule[4], str)(env[name]) for name, rule in VARIABLES.items() if name in env}
    return dict(values, mode=mode, scope=scope)


def _checked(env, scope, seen_by):
    """The mode; ends the process with exit code 78 when anything is wrong."""
    mode, found = check(env, scope, seen_by)
    if _is_stale():
        found.insert(0, {"code": "E103", "variable": None, "owner": None, "secret_paths": [], "seen": "another digest",
                         "message": "This guard is of another contract than " + CONTRACT["file"] + " says.",
                         "expected": CONTRACT["digest"]})
    if found:
        try:
            sys.stderr.write(report(mode, scope, found))
            sys.stderr.flush()
        finally:
            # Not an exception, which a bare `except` could catch; also where nothing can be written.
            os._exit(78)
    return mode


def report(mode, scope, found):
    """The report of a check, for people."""
    lines = []
    for one in found:
        lines.append("error[%s] %s\n  found     %s\n  expected  %s\n" % (one["code"], one["message"], one["seen"], one["expected"]))
        if one["owner"]:
            lines.append("  owner     %s\n" % one["owner"])
        if one["secret_paths"]:
            lines.append("  secret    %s\n" % ", else ".join(one["secret_paths"]))
        lines.append("\n")
    return "%s%d %s · mode %s · scope %s · %s\nNothing was started, and nothing was guessed.\n" % (
        "".join(lines), len(found), "problem" if len(found) == 1 else "problems", mode or "(none)", scope, CONTRACT["file"])


def _is_stale():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), CONTRACT["file"])
    try:
        with open(beside, "rb") as file:
            return "sha256:" + hashlib.sha256(file.read()).hexdigest() != CONTRACT["digest"]
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # One that is there and cannot be read may be another one.
        return True


if __name__ == "__main__":
    words = sys.argv[1:]
    if words and not (len(words) == 2 and words[0] == "--scope"):
        sys.stderr.write("usage: python3 guard.py [--scope SCOPE]\n")
        sys.exit(64)
    # Whoever starts this file is a launcher; a program calls enforce().
    _checked(dict(os.environ), words[1] if words else "runtime", "launcher")

// Compiled by sallyport from agenticverz.yaml. Do not edit it: compile the contract again.

/** The contract that this guard was compiled from. */
export const contract = {"name":"agenticverz","file":"agenticverz.yaml","digest":"sha256:fc306137e18fdfd4971037370d69029b8a3cde018ae58c942854fa9d6ac79028","discriminators":["AOS_MODE","DB_AUTHORITY"],"modes":[{"name":"LOCAL","match":{"AOS_MODE":"local","DB_AUTHORITY":"local"}},{"name":"TEST","match":{"AOS_MODE":"test","DB_AUTHORITY":"neon"}},{"name":"PREPROD","match":{"AOS_MODE":"preprod","DB_AUTHORITY":"neon"}},{"name":"PROD","match":{"AOS_MODE":"prod","DB_AUTHORITY":"neon"}}],"scopes":[{"name":"runtime","commands":[]},{"name":"migrate","commands":["alembic *","python -m alembic *","python3 -m alembic *"]},{"name":"seed","commands":["psql *"]}],"defaultScope":"runtime","variables":["AOS_MODE","DB_AUTHORITY","DATABASE_URL","DATABASE_URL_ASYNC","REDIS_URL","PORT","DB_POOL_SIZE","DB_MAX_OVERFLOW","ENV","HOST","AOS_ENVIRONMENT","GIT_COMMIT_SHA","HOSTNAME","DB_ROLE","CONFIRM_PROD_MIGRATIONS","AOS_API_KEY","MACHINE_SECRET_TOKEN","AOS_FOPS_SECRET","AOS_MACHINE_TOKEN","AOS_OPERATOR_TOKEN","AOS_USE_LEGACY_AUTH","RBAC_ENABLED","RBAC_ENFORCE","RBAC_FAIL_OPEN","RBAC_AUDIT_ENABLED","RBAC_SHADOW_AUDIT","AUTHZ_STRICT_MODE","AUTH_GATEWAY_ENABLED","AUTH_GATEWAY_REQUIRED","AUTH_SERVICE_URL","AUTH_SERVICE_TIMEOUT","DEV_AUTH_ENABLED","NEW_AUTH_SHADOW_ENABLED","AOS_VERIFICATION_MODE","RBAC_POLICY_FILE","AUTHZ_PHASE","DEV_DEFAULT_ROLE","OIDC_ISSUER_URL","OIDC_CLIENT_SECRET","OIDC_VERIFY_SSL","OIDC_ALLOWED_AUDIENCES","OIDC_JWKS_URI","OIDC_JWKS_URL","CLERK_ISSUER_URL","CLERK_ISSUERS","CLERK_JWKS_URL","CLERK_SECRET_KEY","JWT_SECRET","JWT_VERIFY_SIGNATURE","JWT_ALLOW_DEV_TOKEN","JWT_DEV_SECRET","OIDC_CLIENT_ID","OIDC_AUDIENCE","ANTHROPIC_API_KEY","OPENAI_API_KEY","LLM_ALLOWED_MODELS","LLM_MAX_TOKENS_PER_REQUEST","LLM_MAX_COMPLETION_TOKENS","LLM_MAX_COST_CENTS_PER_REQUEST","LLM_REQUESTS_PER_MINUTE","LLM_DAILY_LIMIT_CENTS","LLM_BUDGET_CENTS","LLM_CACHE_ENABLED","LLM_CACHE_TTL","LLM_CACHE_MAX_SIZE","LLM_ENFORCE_SAFETY","LLM_RISK_THRESHOLD","LLM_MAX_TEMPERATURE","PLANNER_BACKEND","LLM_ADAPTER","OPENAI_DEFAULT_MODEL","DEFAULT_LLM_MODEL","DEFAULT_LLM_FALLBACK_MODEL","PROXY_DEFAULT_MODEL","WORKER_CONCURRENCY","WORKER_POLL_INTERVAL","WORKER_BATCH_SIZE","RUN_MAX_ATTEMPTS","WORKFLOW_EMERGENCY_STOP","CONCURRENT_SLOT_TIMEOUT","EVENT_PUBLISHER","ENFORCE_TENANCY","CUSTOMER_SANDBOX_ENABLED","DEFAULT_TENANT_BUDGET_CENTS","DEFAULT_TENANT_RATE_LIMIT","TENANT_HEADER","DEFAULT_TENANT","TENANT_MODE","TENANT_LLM_CONFIG_SOURCE","HOC_DENY_AS_404","HOC_DOCS_ENABLED","CONSOLE_MODE","DATA_MODE","ACTION_MODE","GOVERNANCE_PROFILE","R2_ACCESS_KEY_ID","R2_SECRET_ACCESS_KEY","R2_ENDPOINT","R2_BUCKET","R2_RETENTION_DAYS","R2_MAX_RETRIES","AGG_LOCAL_FALLBACK","ARTIFACT_S3_ENDPOINT","R2_ACCOUNT_ID","R2_UPLOAD_PREFIX","ARTIFACT_BACKEND","ARTIFACT_LOCAL_PATH","ARTIFACT_S3_BUCKET","ARTIFACT_S3_PREFIX","CHECKPOINT_RETENTION_DAYS","CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS","CHECKPOINT_OFFLOAD_BATCH_SIZE","CHECKPOINT_OFFLOAD_MAX_RETRIES","BUDGET_STORE","CHECKPOINT_STORE","ALERTMANAGER_URL","ALERTMANAGER_TIMEOUT","ALERTMANAGER_RETRY_ATTEMPTS","ALERTMANAGER_RETRY_DELAY","ALERT_FATIGUE_ENABLED","ALERT_DEDUP_WINDOW_SECONDS","MAX_ALERTS_PER_TENANT_PER_HOUR","HEALTH_CHECK_TIMEOUT_SECONDS","OBSERVABILITY_MODE","PER_RUN_MAX_CENTS","PER_DAY_MAX_CENTS","DEFAULT_EST_COST_CENTS","DEFAULT_STEP_CEILING_CENTS","DEFAULT_WORKFLOW_CEILING_CENTS","BUDGET_ALERT_THRESHOLD","AUTO_PAUSE_ON_BREACH","GPT4_MAX_CENTS_PER_RUN","OPUS_MAX_CENTS_PER_RUN","COST_SPIKE_THRESHOLD_PERCENT","COST_SPIKE_MIN_RUNS","AOS_COST_ENFORCEMENT","COSTSIM_AUTO_RECOVER","COSTSIM_CANARY_ENABLED","COSTSIM_DISABLE_TTL_HOURS","COSTSIM_DRIFT_THRESHOLD","COSTSIM_DRIFT_WARNING_THRESHOLD","COSTSIM_FAILURE_THRESHOLD","COSTSIM_PROVENANCE_ENABLED","COSTSIM_SCHEMA_ERROR_THRESHOLD","COSTSIM_USE_DB_CB","COSTSIM_V2_AUTO_DISABLE","COSTSIM_V2_SANDBOX","COSTSIM_ADAPTER_VERSION","COSTSIM_ARTIFACTS_DIR","COSTSIM_DISABLE_FILE","COSTSIM_MODEL_VERSION","WEBHOOK_SECRET_V1","WEBHOOK_SECRET_V2","WEBHOOK_SIGNING_SECRET","WEBHOOK_KEY_VERSION","WEBHOOK_KEY_GRACE_VERSIONS","RATE_LIMIT_ENABLED","RATE_LIMIT_DEFAULT_RPM","RATE_LIMIT_BURST_RPM","HOC_PROBE_RATE_LIMIT_ENABLED","HOC_PROBE_RATE_PER_MIN","SANDBOX_RATE_LIMIT_PER_MINUTE","VAULT_ADDR","VAULT_TOKEN","CREDENTIAL_VAULT_PROVIDER","POSTGRES_USER","POSTGRES_PASSWORD","KEYCLOAK_DB_USER","KEYCLOAK_DB_PASSWORD","GITHUB_TOKEN","KEYCLOAK_ADMIN","KEYCLOAK_ADMIN_PASSWORD"],"sensitive":["DATABASE_URL","DATABASE_URL_ASYNC","REDIS_URL","AOS_API_KEY","MACHINE_SECRET_TOKEN","AOS_FOPS_SECRET","AOS_MACHINE_TOKEN","AOS_OPERATOR_TOKEN","OIDC_CLIENT_SECRET","CLERK_SECRET_KEY","JWT_SECRET","JWT_DEV_SECRET","ANTHROPIC_API_KEY","OPENAI_API_KEY","R2_ACCESS_KEY_ID","R2_SECRET_ACCESS_KEY","WEBHOOK_SECRET_V1","WEBHOOK_SECRET_V2","WEBHOOK_SIGNING_SECRET","VAULT_TOKEN","POSTGRES_USER","POSTGRES_PASSWORD","KEYCLOAK_DB_USER","KEYCLOAK_DB_PASSWORD","GITHUB_TOKEN","KEYCLOAK_ADMIN","KEYCLOAK_ADMIN_PASSWORD"],"internal":["VAULT_TOKEN"]}

const scopes = ["runtime","migrate","seed"]
const modes = [
  ["LOCAL",{"AOS_MODE":"local","DB_AUTHORITY":"local"},17],
  ["TEST",{"AOS_MODE":"test","DB_AUTHORITY":"neon"},25],
  ["PREPROD",{"AOS_MODE":"preprod","DB_AUTHORITY":"neon"},34],
  ["PROD",{"AOS_MODE":"prod","DB_AUTHORITY":"neon"},47],
]
// Asked only when there is a finding, so it is not made before.
let table
const about = () => (table ??= {
  AOS_MODE: ["Platform",[],false,"one of local, test, preprod, prod","always",232,{}],
  DB_AUTHORITY: ["Platform",[],false,"one of local, neon","always",233,{}],
  DATABASE_URL: ["Platform",["agenticverz/database","secret/data/user/neon"],true,"a URI, with the scheme postgresql or postgres","in TEST, PREPROD, PROD, and for migrate, seed",235,{}],
  DATABASE_URL_ASYNC: ["Platform",[],true,"a URI","",242,{}],
  REDIS_URL: ["Platform",["secret/data/user/upstash"],true,"a URI, with the scheme redis or rediss","",243,{}],
  PORT: ["Platform",[],false,"a port from 0 to 65535","",244,{}],
  DB_POOL_SIZE: ["Platform",[],false,"a whole number, at least 0","",245,{}],
  DB_MAX_OVERFLOW: ["Platform",[],false,"a whole number, at least -1","",246,{}],
  DB_ROLE: ["Platform",[],false,"one of staging, prod, replica","for migrate",253,{}],
  CONFIRM_PROD_MIGRATIONS: ["Platform",[],false,"true or false","",254,{}],
  AOS_USE_LEGACY_AUTH: ["Auth",[],false,"true or false","",266,{}],
  RBAC_ENABLED: ["Auth",[],false,"true or false","",267,{}],
  RBAC_ENFORCE: ["Auth",[],false,"true or false","",268,{}],
  RBAC_FAIL_OPEN: ["Auth",[],false,"true or false","",270,{"LOCAL":"false","TEST":"false","PREPROD":"false","PROD":"false","?":"false"}],
  RBAC_AUDIT_ENABLED: ["Auth",[],false,"true or false","",271,{}],
  RBAC_SHADOW_AUDIT: ["Auth",[],false,"true or false","",272,{}],
  AUTHZ_STRICT_MODE: ["Auth",[],false,"true or false","",273,{}],
  AUTH_GATEWAY_ENABLED: ["Auth",[],false,"true or false","",274,{}],
  AUTH_GATEWAY_REQUIRED: ["Auth",[],false,"true or false","",275,{}],
  AUTH_SERVICE_URL: ["Auth",[],false,"a URI","",276,{}],
  AUTH_SERVICE_TIMEOUT: ["Auth",[],false,"a number, at least 0","",277,{}],
  DEV_AUTH_ENABLED: ["Auth",[],false,"true or false","",278,{}],
  NEW_AUTH_SHADOW_ENABLED: ["Auth",[],false,"true or false","",279,{}],
  DEV_DEFAULT_ROLE: ["Auth",[],false,"text","",280,{}],
  OIDC_ISSUER_URL: ["Auth",[],false,"a URI","",285,{}],
  OIDC_VERIFY_SSL: ["Auth",[],false,"true or false","",287,{}],
  OIDC_ALLOWED_AUDIENCES: ["Auth",[],false,"items separated by commas","",288,{}],
  OIDC_JWKS_URI: ["Auth",[],false,"a URI","",289,{}],
  OIDC_JWKS_URL: ["Auth",[],false,"a URI","",290,{}],
  CLERK_ISSUER_URL: ["Auth",[],false,"a URI","",291,{}],
  CLERK_ISSUERS: ["Auth",[],false,"items separated by commas","",292,{}],
  CLERK_JWKS_URL: ["Auth",[],false,"a URI","",293,{}],
  JWT_VERIFY_SIGNATURE: ["Auth",[],false,"true or false","",297,{"LOCAL":"true","TEST":"true","PREPROD":"true","PROD":"true","?":"true"}],
  JWT_ALLOW_DEV_TOKEN: ["Auth",[],false,"true or false","",298,{}],
  JWT_DEV_SECRET: ["Auth",[],true,"text","",299,{}],
  LLM_ALLOWED_MODELS: ["LLM",[],false,"items separated by commas","",308,{}],
  LLM_MAX_TOKENS_PER_REQUEST: ["LLM",[],false,"a whole number, at least 0","",309,{}],
  LLM_MAX_COMPLETION_TOKENS: ["LLM",[],false,"a whole number, at least 0","",310,{}],
  LLM_MAX_COST_CENTS_PER_REQUEST: ["LLM",[],false,"a number, at least 0","",311,{}],
  LLM_REQUESTS_PER_MINUTE: ["LLM",[],false,"a whole number, at least 0","",312,{}],
  LLM_DAILY_LIMIT_CENTS: ["LLM",[],false,"a number, at least 0","",313,{}],
  LLM_BUDGET_CENTS: ["LLM",[],false,"a number, at least 0","",314,{}],
  LLM_CACHE_ENABLED: ["LLM",[],false,"true or false","",315,{}],
  LLM_CACHE_TTL: ["LLM",[],false,"a number, at least 0","",316,{}],
  LLM_CACHE_MAX_SIZE: ["LLM",[],false,"a whole number, at least 0","",317,{}],
  LLM_ENFORCE_SAFETY: ["LLM",[],false,"true or false","",318,{}],
  LLM_RISK_THRESHOLD: ["LLM",[],false,"a number","",319,{}],
  LLM_MAX_TEMPERATURE: ["LLM",[],false,"a number, at least 0","",320,{}],
  WORKER_CONCURRENCY: ["Worker",[],false,"a whole number, at least 1","",334,{}],
  WORKER_POLL_INTERVAL: ["Worker",[],false,"a number, at least 0","",335,{}],
  WORKER_BATCH_SIZE: ["Worker",[],false,"a whole number, at least 1","",336,{}],
  RUN_MAX_ATTEMPTS: ["Worker",[],false,"a whole number, at least 1","",337,{}],
  WORKFLOW_EMERGENCY_STOP: ["Worker",[],false,"true or false","",338,{}],
  CONCURRENT_SLOT_TIMEOUT: ["Worker",[],false,"a number, at least 0","",339,{}],
  ENFORCE_TENANCY: ["Platform",[],false,"true or false","",345,{}],
  CUSTOMER_SANDBOX_ENABLED: ["Platform",[],false,"true or false","in LOCAL, PROD",347,{"LOCAL":"true","PREPROD":"false","PROD":"false"}],
  DEFAULT_TENANT_BUDGET_CENTS: ["Platform",[],false,"a number, at least 0","",351,{}],
  DEFAULT_TENANT_RATE_LIMIT: ["Platform",[],false,"a whole number, at least 0","",352,{}],
  HOC_DENY_AS_404: ["Console",[],false,"true or false","",358,{}],
  HOC_DOCS_ENABLED: ["Console",[],false,"true or false","",359,{}],
  R2_ENDPOINT: ["Storage",["secret/data/user/r2"],false,"a URI","",368,{}],
  R2_RETENTION_DAYS: ["Storage",[],false,"a whole number, at least 0","",370,{}],
  R2_MAX_RETRIES: ["Storage",[],false,"a whole number, at least 0","",371,{}],
  AGG_LOCAL_FALLBACK: ["Storage",[],false,"true or false","",372,{}],
  ARTIFACT_S3_ENDPOINT: ["Storage",[],false,"a URI","",373,{}],
  CHECKPOINT_RETENTION_DAYS: ["Platform",[],false,"a whole number, at least 0","",387,{}],
  CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS: ["Platform",[],false,"a whole number, at least 0","",388,{}],
  CHECKPOINT_OFFLOAD_BATCH_SIZE: ["Platform",[],false,"a whole number, at least 1","",389,{}],
  CHECKPOINT_OFFLOAD_MAX_RETRIES: ["Platform",[],false,"a whole number, at least 0","",390,{}],
  ALERTMANAGER_URL: ["SRE",[],false,"a URI","",396,{}],
  ALERTMANAGER_TIMEOUT: ["SRE",[],false,"a number, at least 0","",397,{}],
  ALERTMANAGER_RETRY_ATTEMPTS: ["SRE",[],false,"a whole number, at least 0","",398,{}],
  ALERTMANAGER_RETRY_DELAY: ["SRE",[],false,"a number, at least 0","",399,{}],
  ALERT_FATIGUE_ENABLED: ["SRE",[],false,"true or false","",400,{}],
  ALERT_DEDUP_WINDOW_SECONDS: ["SRE",[],false,"a number, at least 0","",401,{}],
  MAX_ALERTS_PER_TENANT_PER_HOUR: ["SRE",[],false,"a whole number, at least 0","",402,{}],
  HEALTH_CHECK_TIMEOUT_SECONDS: ["SRE",[],false,"a number, at least 0","",403,{}],
  PER_RUN_MAX_CENTS: ["Cost",[],false,"a number, at least 0","",409,{}],
  PER_DAY_MAX_CENTS: ["Cost",[],false,"a number, at least 0","",410,{}],
  DEFAULT_EST_COST_CENTS: ["Cost",[],false,"a number, at least 0","",411,{}],
  DEFAULT_STEP_CEILING_CENTS: ["Cost",[],false,"a number, at least 0","",412,{}],
  DEFAULT_WORKFLOW_CEILING_CENTS: ["Cost",[],false,"a number, at least 0","",413,{}],
  BUDGET_ALERT_THRESHOLD: ["Cost",[],false,"a number","",414,{}],
  AUTO_PAUSE_ON_BREACH: ["Cost",[],false,"true or false","",415,{}],
  GPT4_MAX_CENTS_PER_RUN: ["Cost",[],false,"a number, at least 0","",416,{}],
  OPUS_MAX_CENTS_PER_RUN: ["Cost",[],false,"a number, at least 0","",417,{}],
  COST_SPIKE_THRESHOLD_PERCENT: ["Cost",[],false,"a number, at least 0","",418,{}],
  COST_SPIKE_MIN_RUNS: ["Cost",[],false,"a whole number, at least 0","",419,{}],
  COSTSIM_AUTO_RECOVER: ["Analytics",[],false,"true or false","",425,{}],
  COSTSIM_CANARY_ENABLED: ["Analytics",[],false,"true or false","",426,{}],
  COSTSIM_DISABLE_TTL_HOURS: ["Analytics",[],false,"a number, at least 0","",427,{}],
  COSTSIM_DRIFT_THRESHOLD: ["Analytics",[],false,"a number","",428,{}],
  COSTSIM_DRIFT_WARNING_THRESHOLD: ["Analytics",[],false,"a number","",429,{}],
  COSTSIM_FAILURE_THRESHOLD: ["Analytics",[],false,"a number","",430,{}],
  COSTSIM_PROVENANCE_ENABLED: ["Analytics",[],false,"true or false","",431,{}],
  COSTSIM_SCHEMA_ERROR_THRESHOLD: ["Analytics",[],false,"a number","",432,{}],
  COSTSIM_USE_DB_CB: ["Analytics",[],false,"true or false","",433,{}],
  COSTSIM_V2_AUTO_DISABLE: ["Analytics",[],false,"true or false","",434,{}],
  COSTSIM_V2_SANDBOX: ["Analytics",[],false,"true or false","",435,{}],
  RATE_LIMIT_ENABLED: ["Platform",[],false,"true or false","",450,{}],
  RATE_LIMIT_DEFAULT_RPM: ["Platform",[],false,"a whole number, at least 0","",451,{}],
  RATE_LIMIT_BURST_RPM: ["Platform",[],false,"a whole number, at least 0","",452,{}],
  HOC_PROBE_RATE_LIMIT_ENABLED: ["Platform",[],false,"true or false","",453,{}],
  HOC_PROBE_RATE_PER_MIN: ["Platform",[],false,"a whole number, at least 0","",454,{}],
  SANDBOX_RATE_LIMIT_PER_MINUTE: ["Platform",[],false,"a whole number, at least 0","",455,{}],
  VAULT_ADDR: ["Platform",[],false,"a URI, with the scheme https or http","",460,{}],
  VAULT_TOKEN: ["Platform",[],true,"text","",462,{}],
})

// In parentheses, because V8 reads such a function once; of another it looks for the end first, and reads it again when it is called.
/** Everything that is wrong with an environment, at once. Never throws, and shows no character of a sensitive value. */
export const check = (function check(env, options = {}) {
  const scope = options.scope ?? "runtime"
  const program = options.seenBy !== 'launcher'
  const findings = []
  const modeIndex = modes.findIndex(([, match]) => env.AOS_MODE === match.AOS_MODE && env.DB_AUTHORITY === match.DB_AUTHORITY)
  const mode = modes[modeIndex]?.[0] ?? "?"
  const scopeIndex = scopes.indexOf(scope)
  const at = scopeIndex < 0 ? -1 : scopeIndex * 5 + (modeIndex < 0 ? 4 : modeIndex)
  const no = (code, name) => {
    findings.push(variableFinding(code, name, env[name], mode, at))
  }
  let v
  let only
  const stale = env.SALLYPORT_CONTRACT_DIGEST
  if (stale !== undefined && stale !== contract.digest) findings.push(staleFinding("SALLYPORT_CONTRACT_DIGEST"))
  if (scopeIndex < 0) findings.push(scopeFinding(scope))
  if (modeIndex < 0) findings.push(modeFinding(env))
    v = env.DATABASE_URL
    if ((v === undefined || v === '') && '011101111111111'.charCodeAt(at) === 49) no('E201', 'DATABASE_URL')
    else if (v !== undefined) {
      if (!isUri(v)) no('E202', 'DATABASE_URL')
      else if (!v.startsWith("postgresql:") && !v.startsWith("postgres:")) no('E206', 'DATABASE_URL')
    }
  for (const name of ["DATABASE_URL_ASYNC","AUTH_SERVICE_URL","OIDC_ISSUER_URL","OIDC_JWKS_URI","OIDC_JWKS_URL","CLERK_ISSUER_URL","CLERK_JWKS_URL","R2_ENDPOINT","ARTIFACT_S3_ENDPOINT","ALERTMANAGER_URL"]) {
    v = env[name]
    if (v !== undefined) {
      if (!isUri(v)) no('E202', name)
    }
  }
    v = env.REDIS_URL
    if (v !== undefined) {
      if (!isUri(v)) no('E202', 'REDIS_URL')
      else if (!v.startsWith("redis:") && !v.startsWith("rediss:")) no('E206', 'REDIS_URL')
    }
    v = env.PORT
    if (v !== undefined) {
      if (!isPort(v)) no('E202', 'PORT')
    }
  for (const name of ["DB_POOL_SIZE","LLM_MAX_TOKENS_PER_REQUEST","LLM_MAX_COMPLETION_TOKENS","LLM_REQUESTS_PER_MINUTE","LLM_CACHE_MAX_SIZE","DEFAULT_TENANT_RATE_LIMIT","R2_RETENTION_DAYS","R2_MAX_RETRIES","CHECKPOINT_RETENTION_DAYS","CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS","CHECKPOINT_OFFLOAD_MAX_RETRIES","ALERTMANAGER_RETRY_ATTEMPTS","MAX_ALERTS_PER_TENANT_PER_HOUR","COST_SPIKE_MIN_RUNS","RATE_LIMIT_DEFAULT_RPM","RATE_LIMIT_BURST_RPM","HOC_PROBE_RATE_PER_MIN","SANDBOX_RATE_LIMIT_PER_MINUTE"]) {
    v = env[name]
    if (v !== undefined) {
      if (!isInteger(v)) no('E202', name)
      else if (Number(v) < 0) no('E205', name)
    }
  }
    v = env.DB_MAX_OVERFLOW
    if (v !== undefined) {
      if (!isInteger(v)) no('E202', 'DB_MAX_OVERFLOW')
      else if (Number(v) < -1) no('E205', 'DB_MAX_OVERFLOW')
    }
    v = env.DB_ROLE
    if ((v === undefined || v === '') && '000001111100000'.charCodeAt(at) === 49) no('E201', 'DB_ROLE')
    else if (v !== undefined) {
      if (v !== "staging" && v !== "prod" && v !== "replica") no('E203', 'DB_ROLE')
    }
  for (const name of ["CONFIRM_PROD_MIGRATIONS","AOS_USE_LEGACY_AUTH","RBAC_ENABLED","RBAC_ENFORCE","RBAC_AUDIT_ENABLED","RBAC_SHADOW_AUDIT","AUTHZ_STRICT_MODE","AUTH_GATEWAY_ENABLED","AUTH_GATEWAY_REQUIRED","DEV_AUTH_ENABLED","NEW_AUTH_SHADOW_ENABLED","OIDC_VERIFY_SSL","JWT_ALLOW_DEV_TOKEN","LLM_CACHE_ENABLED","LLM_ENFORCE_SAFETY","WORKFLOW_EMERGENCY_STOP","ENFORCE_TENANCY","HOC_DENY_AS_404","HOC_DOCS_ENABLED","AGG_LOCAL_FALLBACK","ALERT_FATIGUE_ENABLED","AUTO_PAUSE_ON_BREACH","COSTSIM_AUTO_RECOVER","COSTSIM_CANARY_ENABLED","COSTSIM_PROVENANCE_ENABLED","COSTSIM_USE_DB_CB","COSTSIM_V2_AUTO_DISABLE","COSTSIM_V2_SANDBOX","RATE_LIMIT_ENABLED","HOC_PROBE_RATE_LIMIT_ENABLED"]) {
    v = env[name]
    if (v !== undefined) {
      if (v !== 'true' && v !== 'false') no('E202', name)
    }
  }
    v = env.RBAC_FAIL_OPEN
    if (v !== undefined) {
      if (v !== "false") no('E204', 'RBAC_FAIL_OPEN')
    }
  for (const name of ["AUTH_SERVICE_TIMEOUT","LLM_MAX_COST_CENTS_PER_REQUEST","LLM_DAILY_LIMIT_CENTS","LLM_BUDGET_CENTS","LLM_CACHE_TTL","LLM_MAX_TEMPERATURE","WORKER_POLL_INTERVAL","CONCURRENT_SLOT_TIMEOUT","DEFAULT_TENANT_BUDGET_CENTS","ALERTMANAGER_TIMEOUT","ALERTMANAGER_RETRY_DELAY","ALERT_DEDUP_WINDOW_SECONDS","HEALTH_CHECK_TIMEOUT_SECONDS","PER_RUN_MAX_CENTS","PER_DAY_MAX_CENTS","DEFAULT_EST_COST_CENTS","DEFAULT_STEP_CEILING_CENTS","DEFAULT_WORKFLOW_CEILING_CENTS","GPT4_MAX_CENTS_PER_RUN","OPUS_MAX_CENTS_PER_RUN","COST_SPIKE_THRESHOLD_PERCENT","COSTSIM_DISABLE_TTL_HOURS"]) {
    v = env[name]
    if (v !== undefined) {
      if (!isNumber(v)) no('E202', name)
      else if (Number(v) < 0) no('E205', name)
    }
  }
  for (const name of ["OIDC_ALLOWED_AUDIENCES","CLERK_ISSUERS","LLM_ALLOWED_MODELS"]) {
    v = env[name]
    if (v !== undefined) {
      if (!isList(v)) no('E202', name)
    }
  }
    v = env.JWT_VERIFY_SIGNATURE
    if (v !== undefined) {
      if (v !== "true") no('E204', 'JWT_VERIFY_SIGNATURE')
    }
  for (const name of ["LLM_RISK_THRESHOLD","BUDGET_ALERT_THRESHOLD","COSTSIM_DRIFT_THRESHOLD","COSTSIM_DRIFT_WARNING_THRESHOLD","COSTSIM_FAILURE_THRESHOLD","COSTSIM_SCHEMA_ERROR_THRESHOLD"]) {
    v = env[name]
    if (v !== undefined) {
      if (!isNumber(v)) no('E202', name)
    }
  }
  for (const name of ["WORKER_CONCURRENCY","WORKER_BATCH_SIZE","RUN_MAX_ATTEMPTS","CHECKPOINT_OFFLOAD_BATCH_SIZE"]) {
    v = env[name]
    if (v !== undefined) {
      if (!isInteger(v)) no('E202', name)
      else if (Number(v) < 1) no('E205', name)
    }
  }
    v = env.CUSTOMER_SANDBOX_ENABLED
    if ((v === undefined || v === '') && '100101001010010'.charCodeAt(at) === 49) no('E201', 'CUSTOMER_SANDBOX_ENABLED')
    else if (v !== undefined) {
      if ((only = mode === "LOCAL" ? "true" : mode === "PREPROD" ? "false" : mode === "PROD" ? "false" : undefined) !== undefined) {
      if (v !== only) no('E204', 'CUSTOMER_SANDBOX_ENABLED')
    }
      else if (v !== 'true' && v !== 'false') no('E202', 'CUSTOMER_SANDBOX_ENABLED')
    }
    v = env.VAULT_ADDR
    if (v !== undefined) {
      if (!isUri(v)) no('E202', 'VAULT_ADDR')
      else if (!v.startsWith("https:") && !v.startsWith("http:")) no('E206', 'VAULT_ADDR')
    }
    v = env.VAULT_TOKEN
    if (v !== undefined) {
      if (program) no('E208', 'VAULT_TOKEN')
    }
  // Said in the order of the contract; what is of no variable stands first.
  if (findings.length > 1) findings.sort((left, right) => placeOf(left) - placeOf(right))
  v = env.JWT_ALLOW_DEV_TOKEN
  if (v !== undefined && isOn(v)) findings.push(otherFinding('E401', 'JWT_ALLOW_DEV_TOKEN', v, {"message":"JWT_ALLOW_DEV_TOKEN is forbidden everywhere by fake-jwts (critical-violation): Undermines trust model.","expected":"not set, or false","fix":"unset JWT_ALLOW_DEV_TOKEN","line":153}))
  v = env.DEV_AUTH_ENABLED
  if (v !== undefined && isOn(v)) findings.push(otherFinding('E401', 'DEV_AUTH_ENABLED', v, {"message":"DEV_AUTH_ENABLED is forbidden everywhere by dev-bypass-flags (high): Security theater.","expected":"not set, or false","fix":"unset DEV_AUTH_ENABLED","line":194}))
  v = env.JWT_ALLOW_DEV_TOKEN
  if (v !== undefined && isOn(v)) findings.push(otherFinding('E401', 'JWT_ALLOW_DEV_TOKEN', v, {"message":"JWT_ALLOW_DEV_TOKEN is forbidden everywhere by dev-bypass-flags (high): Security theater.","expected":"not set, or false","fix":"unset JWT_ALLOW_DEV_TOKEN","line":194}))
  v = env.DEV_DEFAULT_ROLE
  if (v !== undefined) findings.push(otherFinding('E401', 'DEV_DEFAULT_ROLE', v, {"message":"DEV_DEFAULT_ROLE is forbidden everywhere by dev-bypass-flags (high): Security theater.","expected":"not set","fix":"unset DEV_DEFAULT_ROLE","line":194}))
  v = env.JWT_DEV_SECRET
  if (v !== undefined) findings.push(otherFinding('E401', 'JWT_DEV_SECRET', v, {"message":"JWT_DEV_SECRET is forbidden everywhere by dev-bypass-flags (high): Security theater.","expected":"not set","fix":"unset JWT_DEV_SECRET","line":194}))
  migrationFindings(env, mode, scope === "migrate", findings)
  return { ...(modeIndex < 0 ? {} : { mode }), scope, findings }
})

function placeOf({ variable = '' }) {
  return contract.variables.indexOf(variable)
}

function variableFinding(code, variable, value, mode, at) {
  const [owner = '', secretPaths = [], sensitive = true, expected = '', requiredWords = '', line = 0, fixed = {}] = about()[variable] ?? []
  const only = fixed[mode]
  const [path] = secretPaths
  const words = (message, wanted, fix) => ({
    code, variable, owner, secretPaths, message, expected: wanted, seen: seenWords(value, sensitive), fix, line,
  })
  switch (code) {
    case 'E201': {
      const from = path === undefined || path === 'unspecified' ? '' : ` from ${path}`
      const when = requiredWords === 'always' ? '' : ` (${requiredWords})`
      const fix = only === undefined ? `set ${variable}${from}` : `set ${variable}=${only}`
      return words(`${variable} is required${when}.`, only ?? expected, fix)
    }
    case 'E204':
      return words(`${variable} is fixed in ${mode === "?" ? 'every mode' : mode}.`, only ?? '', `set ${variable}=${only}`)
    case 'E208':
      return words(`${variable} is the launcher's alone.`, 'not set', 'start the program with `sallyport run`, which keeps it back')
    default: {
      const optional = isRequired(variable, at) ? '' : ', or unset it'
      return words(`${variable} ${faults[code] ?? ''}.`, expected, `set ${variable} to ${expected}${optional}`)
    }
  }
}

const faults = {
  E202: 'is of another type',
  E203: 'has none of its values',
  E205: 'is out of range',
  E206: 'has the wrong scheme',
  E207: 'does not match its pattern',
}

const requiredAt = () => ({"DATABASE_URL":"011101111111111","DB_ROLE":"000001111100000","CUSTOMER_SANDBOX_ENABLED":"100101001010010"})

function isRequired(name, at) {
  return requiredAt()[name]?.[at] === '1'
}

function otherFinding(
  code,
  variable,
  value,
  words,
) {
  const known = about()[variable]
  const [owner, secretPaths = [], sensitive = true] = known ?? []
  const { message, expected, fix, line } = words
  return { code, variable, ...(owner === undefined ? {} : { owner }), secretPaths, message, expected, seen: seenWords(value, sensitive), fix, line }
}

function staleFinding(where) {
  return {
    code: 'E103', secretPaths: [], message: `This guard is of another contract than ${where} says.`, expected: contract.digest,
    seen: 'another digest', fix: `compile ${contract.file} again`, line: 0,
  }
}

function scopeFinding(scope) {
  const names = scopes.join(', ')
  return {
    code: 'E102', secretPaths: [], message: 'There is no such scope.', expected: `one of ${names}`,
    seen: seenWords(scope, false), fix: `name one of ${names}`, line: 0,
  }
}

function modeFinding(env) {
  const names = contract.discriminators
  const owners = {"AOS_MODE":"Platform","DB_AUTHORITY":"Platform"}
  const ranked = modes.map(([name, match, line]) => ({ name, match, line, differing: names.filter((one) => env[one] !== match[one]) }))
  const fewest = Math.min(...ranked.map(({ differing }) => differing.length))
  const nearest = ranked.filter(({ differing }) => differing.length === fewest)
  const owner = [...new Set(nearest.flatMap(({ differing }) => differing.flatMap((name) => owners[name] ?? [])))].join(', ')
  const seen = names.map((name) => `${name}=${env[name] === undefined ? '(not set)' : env[name] === '' ? '(empty)' : seenWords(env[name], false)}`).join(' ')
  const tuples = modes.map(([name, match]) => `${name}(${names.map((one) => match[one]).join(',')})`).join(' ')
  return {
    code: 'E101', ...(owner === '' ? {} : { owner }), secretPaths: [], message: `No mode has ${seen}.`,
    expected: `${names.join(',')} as in ${tuples}`, seen,
    fix: nearest.map(({ name, match, differing }) => `${name} needs ${differing.map((one) => `${one}=${match[one]}`).join(' ')}`).join(' · '),
    line: nearest[0]?.line ?? 0,
  }
}

const roles = {"staging":["allow"],"prod":["confirm","CONFIRM_PROD_MIGRATIONS","true"],"replica":["deny"]}
const roleByMode = {"LOCAL":"staging","TEST":"staging","PREPROD":"staging","PROD":"prod"}

function migrationFindings(env, mode, isMigration, findings) {
  const say = (code, variable, seen, message, expected, fix) => {
    findings.push(otherFinding(code, variable, seen, { message, expected, fix, line: 122 }))
  }
  const name = env.DB_ROLE
  const role = name === undefined || !Object.hasOwn(roles, name) ? undefined : roles[name]
  if (name !== undefined && role !== undefined) {
    const [migrate, confirm, value = ''] = role
    const wanted = roleByMode[mode]
    if (isMigration && migrate === 'deny')
      say('E301', 'DB_ROLE', name, `A database with the role ${name} never takes a migration.`, "staging or prod", 'point the migration to a database that takes it')
    if (isMigration && migrate === 'confirm' && confirm !== undefined && env[confirm] !== value)
      say('E302', confirm, env[confirm], `A migration of ${name} has to be confirmed.`, value, `set ${confirm}=${value} if it is meant`)
    if (migrate !== 'deny' && wanted !== undefined && wanted !== name)
      say('E303', 'DB_ROLE', name, `The mode ${mode} has a database with the role ${wanted}, not ${name}.`, wanted, `set DB_ROLE=${wanted}, or start in the mode of ${name}`)
  }
  if (!isMigration && env.CONFIRM_PROD_MIGRATIONS === "true")
    say('E304', 'CONFIRM_PROD_MIGRATIONS', env.CONFIRM_PROD_MIGRATIONS, 'CONFIRM_PROD_MIGRATIONS confirms a migration, and nothing is migrated here.', "not true", 'unset CONFIRM_PROD_MIGRATIONS, and set it for that one migration alone')
}

/** Nothing but its length is said of a sensitive value, and of what looks like a secret in the wrong place. */
function seenWords(value, sensitive) {
  if (value === undefined) return 'not set'
  if (value === '') return 'set, but empty'
  const length = `set, ${value.length} characters`
  if (sensitive || !/^[\x20-\x7e]*$/.test(value) || (value.includes('://') && /[@?]/.test(value)) || /[A-Za-z0-9+/=_.-]{32}/.test(value)) return length
  return value.length > 60 ? `${length}, beginning ${value.slice(0, 60)}` : value
}

function isUri(text) {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text)
}

function isPort(text) {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65535
}

function isInteger(text) {
  return /^-?[0-9]{1,15}$/.test(text)
}

function isNumber(text) {
  return /^-?[0-9]+(?:\.[0-9]+)?$/.test(text) && (text.length <= 15 || text.replace(/[-.]/g, '').length <= 15)
}

function isList(text) {
  return text !== '' && !text.startsWith(',') && !text.endsWith(',') && !text.includes(',,')
}

function isOn(text) {
  return !['', '0', 'false', 'no', 'off'].includes(text.toLowerCase())
}

/**
 * Stops the program with exit code 78 and every problem on standard error when its environment is not as the contract says; else gives the
 * variables by name, in their types. A contract file beside this guard must be the one that it was compiled from.
 */
export function enforce(options = {}) {
  const env = { ...(options.env ?? process.env) }
  const checked = check(env, options.scope === undefined ? {} : { scope: options.scope })
  const findings = [...(isStale() ? [staleFinding(contract.file)] : []), ...checked.findings]
  if (findings.length > 0) {
    try {
      process.getBuiltinModule('node:fs').writeSync(2, report({ ...checked, findings }))
    } finally {
      // Also where nothing can be written: what is thrown could be caught.
      process.exit(78)
    }
  }
  return read(env, checked)
}

/** The report of a check, for people. */
export function report({ mode, scope, findings }) {
  const lines = findings.map(({ code, message, seen, expected, owner, secretPaths, fix }) =>
    `error[${code}] ${message}\n  found     ${seen}\n  expected  ${expected}\n${owner === undefined ? '' : `  owner     ${owner}\n`}${secretPaths.length === 0 ? '' : `  secret    ${secretPaths.join(', else ')}\n`}  fix       ${fix}\n`)
  return `${lines.join('\n')}\n${findings.length} ${findings.length === 1 ? 'problem' : 'problems'} · mode ${mode ?? '(none)'} · scope ${scope} · ${contract.file}\nNothing was started, and nothing was guessed.\n`
}

function isStale() {
  const { statSync, readFileSync } = process.getBuiltinModule('node:fs')
  const beside = `${import.meta.dirname}/${contract.file}`
  try {
    if (statSync(beside, { throwIfNoEntry: false }) === undefined) return false
    return `sha256:${process.getBuiltinModule('node:crypto').hash('sha256', readFileSync(beside))}` !== contract.digest
  } catch {
    // One that is there and cannot be read may be another one.
    return true
  }
}

// Those that are not given as the text that they are.
const kinds = () => ({
  PORT: 'port',
  DB_POOL_SIZE: 'integer',
  DB_MAX_OVERFLOW: 'integer',
  CONFIRM_PROD_MIGRATIONS: 'boolean',
  AOS_USE_LEGACY_AUTH: 'boolean',
  RBAC_ENABLED: 'boolean',
  RBAC_ENFORCE: 'boolean',
  RBAC_FAIL_OPEN: 'boolean',
  RBAC_AUDIT_ENABLED: 'boolean',
  RBAC_SHADOW_AUDIT: 'boolean',
  AUTHZ_STRICT_MODE: 'boolean',
  AUTH_GATEWAY_ENABLED: 'boolean',
  AUTH_GATEWAY_REQUIRED: 'boolean',
  AUTH_SERVICE_TIMEOUT: 'number',
  DEV_AUTH_ENABLED: 'boolean',
  NEW_AUTH_SHADOW_ENABLED: 'boolean',
  OIDC_VERIFY_SSL: 'boolean',
  OIDC_ALLOWED_AUDIENCES: 'list',
  CLERK_ISSUERS: 'list',
  JWT_VERIFY_SIGNATURE: 'boolean',
  JWT_ALLOW_DEV_TOKEN: 'boolean',
  LLM_ALLOWED_MODELS: 'list',
  LLM_MAX_TOKENS_PER_REQUEST: 'integer',
  LLM_MAX_COMPLETION_TOKENS: 'integer',
  LLM_MAX_COST_CENTS_PER_REQUEST: 'number',
  LLM_REQUESTS_PER_MINUTE: 'integer',
  LLM_DAILY_LIMIT_CENTS: 'number',
  LLM_BUDGET_CENTS: 'number',
  LLM_CACHE_ENABLED: 'boolean',
  LLM_CACHE_TTL: 'number',
  LLM_CACHE_MAX_SIZE: 'integer',
  LLM_ENFORCE_SAFETY: 'boolean',
  LLM_RISK_THRESHOLD: 'number',
  LLM_MAX_TEMPERATURE: 'number',
  WORKER_CONCURRENCY: 'integer',
  WORKER_POLL_INTERVAL: 'number',
  WORKER_BATCH_SIZE: 'integer',
  RUN_MAX_ATTEMPTS: 'integer',
  WORKFLOW_EMERGENCY_STOP: 'boolean',
  CONCURRENT_SLOT_TIMEOUT: 'number',
  ENFORCE_TENANCY: 'boolean',
  CUSTOMER_SANDBOX_ENABLED: 'boolean',
  DEFAULT_TENANT_BUDGET_CENTS: 'number',
  DEFAULT_TENANT_RATE_LIMIT: 'integer',
  HOC_DENY_AS_404: 'boolean',
  HOC_DOCS_ENABLED: 'boolean',
  R2_RETENTION_DAYS: 'integer',
  R2_MAX_RETRIES: 'integer',
  AGG_LOCAL_FALLBACK: 'boolean',
  CHECKPOINT_RETENTION_DAYS: 'integer',
  CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS: 'integer',
  CHECKPOINT_OFFLOAD_BATCH_SIZE: 'integer',
  CHECKPOINT_OFFLOAD_MAX_RETRIES: 'integer',
  ALERTMANAGER_TIMEOUT: 'number',
  ALERTMANAGER_RETRY_ATTEMPTS: 'integer',
  ALERTMANAGER_RETRY_DELAY: 'number',
  ALERT_FATIGUE_ENABLED: 'boolean',
  ALERT_DEDUP_WINDOW_SECONDS: 'number',
  MAX_ALERTS_PER_TENANT_PER_HOUR: 'integer',
  HEALTH_CHECK_TIMEOUT_SECONDS: 'number',
  PER_RUN_MAX_CENTS: 'number',
  PER_DAY_MAX_CENTS: 'number',
  DEFAULT_EST_COST_CENTS: 'number',
  DEFAULT_STEP_CEILING_CENTS: 'number',
  DEFAULT_WORKFLOW_CEILING_CENTS: 'number',
  BUDGET_ALERT_THRESHOLD: 'number',
  AUTO_PAUSE_ON_BREACH: 'boolean',
  GPT4_MAX_CENTS_PER_RUN: 'number',
  OPUS_MAX_CENTS_PER_RUN: 'number',
  COST_SPIKE_THRESHOLD_PERCENT: 'number',
  COST_SPIKE_MIN_RUNS: 'integer',
  COSTSIM_AUTO_RECOVER: 'boolean',
  COSTSIM_CANARY_ENABLED: 'boolean',
  COSTSIM_DISABLE_TTL_HOURS: 'number',
  COSTSIM_DRIFT_THRESHOLD: 'number',
  COSTSIM_DRIFT_WARNING_THRESHOLD: 'number',
  COSTSIM_FAILURE_THRESHOLD: 'number',
  COSTSIM_PROVENANCE_ENABLED: 'boolean',
  COSTSIM_SCHEMA_ERROR_THRESHOLD: 'number',
  COSTSIM_USE_DB_CB: 'boolean',
  COSTSIM_V2_AUTO_DISABLE: 'boolean',
  COSTSIM_V2_SANDBOX: 'boolean',
  RATE_LIMIT_ENABLED: 'boolean',
  RATE_LIMIT_DEFAULT_RPM: 'integer',
  RATE_LIMIT_BURST_RPM: 'integer',
  HOC_PROBE_RATE_LIMIT_ENABLED: 'boolean',
  HOC_PROBE_RATE_PER_MIN: 'integer',
  SANDBOX_RATE_LIMIT_PER_MINUTE: 'integer',
})

/** The declared variables that are set, in their types; of an environment that passed. */
function read(env, { mode, scope }) {
  const values = { mode, scope }
  const kind = kinds()
  for (const name of contract.variables) {
    const text = env[name]
    if (text !== undefined) values[name] = valueOf(text, kind[name])
  }
  return Object.freeze(values)
}

function valueOf(text, kind) {
  switch (kind) {
    case 'boolean':
      return text === 'true'
    case 'integer':
    case 'number':
    case 'port':
      return Number(text)
    case 'list':
      return text.split(',')
    case 'json':
      return JSON.parse(text)
    default:
      return text
  }
}

"""A back end as it was before: it has no code for who may call what, and knows nothing of Sallyport."""

from fastapi import FastAPI

app = FastAPI(title="Agenticverz", docs_url=None, redoc_url=None)


@app.get("/api/v1/accounts/{account_id}")
async def account(account_id: str) -> dict[str, str]:
    return {"account": account_id}


@app.get("/api/v1/runs/{run_id}")
async def run(run_id: str) -> dict[str, str]:
    return {"run": run_id}


@app.post("/api/v1/telemetry/{source}", status_code=202)
async def telemetry(source: str, event: dict[str, str]) -> dict[str, str]:
    return {"source": source, **event}


@app.get("/__debug/openapi_nocache")
async def openapi_nocache() -> dict[str, object]:
    app.openapi_schema = None
    return app.openapi()

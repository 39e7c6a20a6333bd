/** A rule of a tool, as SARIF lists it. */
export type SarifRule = { readonly id: string; readonly level: SarifLevel; readonly text: string }

export type SarifLevel = 'error' | 'warning' | 'note'

export type SarifResult = {
  readonly ruleId: string
  readonly level: SarifLevel
  readonly message: string
  /** A path relative to the repository. */
  readonly file: string
  /** Absent where the finding is of no line. */
  readonly place?: { readonly line: number; readonly column: number }
}

/** A log of findings in SARIF 2.1.0 (OASIS), as code scanning of forges reads it. */
export function sarifLog(tool: {
  readonly version: string
  readonly rules: readonly SarifRule[]
  readonly results: readonly SarifResult[]
  /** What the run says nothing of, for whoever reads its results. */
  readonly notes?: readonly string[]
}) {
  const index = new Map(tool.rules.map(({ id }, at) => [id, at]))
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'sallyport', version: tool.version, rules: tool.rules.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        ...(tool.notes && tool.notes.length > 0 && { invocations: [invocationOf(tool.notes)] }),
        results: tool.results.map((result) => resultOf(result, index)),
      },
    ],
  }
}

function invocationOf(notes: readonly string[]) {
  return {
    executionSuccessful: true,
    toolExecutionNotifications: notes.map((text) => ({ level: 'note', message: { text } })),
  }
}

function ruleOf({ id, level, text }: SarifRule) {
  return { id, shortDescription: { text }, defaultConfiguration: { level } }
}

function resultOf({ ruleId, level, message, file, place }: SarifResult, index: ReadonlyMap<string, number>) {
  const ruleIndex = index.get(ruleId)
  const region = place && { startLine: place.line, startColumn: place.column }
  return {
    ruleId,
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    level,
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/') },
          ...(region && { region }),
        },
      },
    ],
  }
}

/** Every bound of the wire, by name. */
export const protocolLimits = {
  bodyBytesMax: 16_384,
  headerBytesMax: 32_768,
  nameCharactersMax: 63,
  resourceCharactersMax: 1024,
  referenceCharactersMax: 256,
  purposeCharactersMax: 1024,
  durationSecondsMax: 31_536_000,
  /** Of a lease's id in the path. */
  leaseIdCharactersMax: 64,
  rotationTargetCharactersMax: 128,
  pageLeasesMax: 1000,
  pageLeasesDefault: 100,
  pageEntriesMax: 256,
  /** Fifteen digits, which a JavaScript number holds exactly. */
  positionMax: 999_999_999_999_999,
  waitSecondsMax: 60,
  /** Of a token that is introspected or revoked; a form has to hold it. */
  tokenCharactersMax: 8_192,
  tokenHintCharactersMax: 64,
  /** Of a part of the path. */
  parameterCharactersMax: 128,
} as const

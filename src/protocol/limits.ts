/** Every bound of the wire, by name. */
export const protocolLimits = {
  bodyBytesMax: 16_384,
  headerBytesMax: 32_768,
  nameCharactersMax: 63,
  resourceCharactersMax: 1024,
  purposeCharactersMax: 1024,
  durationSecondsMax: 31_536_000,
  pageLeasesMax: 1000,
  pageLeasesDefault: 100,
  pageEntriesMax: 256,
  waitSecondsMax: 60,
  tokenCharactersMax: 16_384,
} as const

import { z } from 'zod'

/** Where the entry stands in the log; it verifies later against any newer checkpoint. */
export const receipt = z.object({
  index: z.number().int().meta({ description: 'Position in the log, from 0.' }),
  leaf_hash: z.string().meta({ description: 'Hexadecimal RFC 6962 leaf hash.' }),
  checkpoint: z.string().meta({ description: 'A C2SP signed checkpoint whose tree holds the entry.' }),
})

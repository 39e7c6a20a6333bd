import type { Operation } from './operation.ts'

export const getCosignedCheckpoint: Operation = {
  id: 'cosignedCheckpoint',
  method: 'GET',
  path: '/log/cosigned-checkpoint',
  summary: 'The newest checkpoint that enough witnesses cosigned (C2SP tlog-cosignature)',
  access: 'public',
  planes: ['machine', 'human'],
  answers: {
    200: {
      description: 'A signed note with the signatures of witnesses.',
      type: 'text/plain; charset=utf-8',
    },
  },
}

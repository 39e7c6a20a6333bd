import type { Capabilities } from '../../../broker/index.ts'
import type { AwsConfig } from './config.ts'
import { sessionSecondsMax, sessionSecondsMin } from './sts.ts'

/** What this provider can and cannot do, in the words that go into every answer. */
export function capabilitiesOf(
  { revocation, revocationPolicy, role }: AwsConfig,
  probing: 'probed' | 'unprobed',
): Capabilities {
  const denying = revocation === 'deny-policy'
  return {
    revocation: denying ? 'eventual' : 'none',
    revocationNote: denying
      ? `AWS cannot recall a session; the policy ${revocationPolicy} on the role ${role.name} denies it everything, which reaches all of AWS within minutes.`
      : 'AWS cannot recall a session and no deny policy is configured: it works until the date in its session policy.',
    endsByItself: true,
    providerTtlSecondsMin: sessionSecondsMin,
    ttlSecondsMax: sessionSecondsMax,
    probes: probing === 'probed',
    rotates: [],
  }
}

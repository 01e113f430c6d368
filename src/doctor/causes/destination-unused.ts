import type { RefusedFacts } from '../../contracts/diagnosis.ts'
import { type Cause, counted, inEachTenant, lastRequest } from '../finding.ts'

/** Segment was never pointed here, with a key that is right, or sends only what Refiner has no call for. */
export const destinationUnused: Cause = {
  name: 'destination_unused',
  looksAt: 'whether Segment uses its destination key, and sends what can be taken',
  find: inEachTenant(({ settings, from_segment }, facts, name) => {
    const keys = settings.destination_keys + (settings.signed ? 1 : 0)
    if (!settings.to_refiner || keys === 0) return []
    if (from_segment.ever || lastRequest(facts, name, 'segment') !== null) return []
    const fromSegment = facts.intake.refused.filter(({ route }) => !route.startsWith('/v1/refiner/'))
    const unsupported = sum(fromSegment.filter(({ tenant, status }) => tenant === name && status === 501))
    if (unsupported > 0) {
      return [
        {
          likelihood: 'certain' as const,
          problem: 'Segment sends only types that Refiner has no call for',
          evidence: [
            `${counted(unsupported, 'message')} answered 501 (page, screen, alias), none of another type came`,
          ],
          advice: [
            "send identify, track or group to the destination: see the destination's filters and mappings in Segment",
            'or set to_refiner.pages to true, to have page and screen calls tracked as events',
          ],
        },
      ]
    }
    // Anybody can call a URL: only who presents a key may be Segment, and whose it was to be is not known.
    const strange = fromSegment.filter(
      ({ tenant, status, carried }) =>
        (tenant === name || tenant === null) && status === 401 && presentsKey(carried),
    )
    const refused = sum(strange)
    if (refused > 0) {
      const isOurs = Object.keys(facts.tenants).length === 1 || strange.some(({ tenant }) => tenant === name)
      return [
        {
          likelihood: isOurs ? ('likely' as const) : ('possible' as const),
          problem: "Segment calls with a key or signature that is nobody's",
          evidence: [`${counted(refused, 'request')} answered 401 since the start, none was taken`],
          advice: [
            `make the API key of the destination in Segment one of tenants.${name}.segment.destination_keys`,
            "for a Webhooks destination with a shared secret, make it segment.shared_secret, and let the URL end in the tenant's name",
          ],
        },
      ]
    }
    return [
      {
        likelihood: 'possible' as const,
        problem: 'Segment does not use its destination key: nothing is kept that came from Segment',
        evidence: [
          `${keys === 1 ? 'one key or secret is' : `${keys} keys and secrets are`} set up, none was used`,
        ],
        advice: [
          `in Segment, add a destination to https://YOUR-HOST/v1/segment/${name} with that key, and switch it on: see docs/segment.md`,
          'if nothing is to go to Refiner, say so: `to_refiner: { enabled: false }`',
        ],
      },
    ]
  }),
}

function presentsKey({ authorization, headers }: RefusedFacts['carried']): boolean {
  return authorization !== null || headers.includes('x-signature')
}

function sum(refused: readonly { readonly times: number }[]): number {
  return refused.reduce((times, one) => times + one.times, 0)
}

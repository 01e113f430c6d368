import { type Cause, inEachTenant, lastRequest } from '../finding.ts'

/** A new set-up whose webhook was not made, or does not reach us. */
export const webhookNever: Cause = {
  name: 'webhook_never',
  looksAt: 'whether a webhook of Refiner ever came',
  find: inEachTenant(({ settings, from_refiner }, facts, name) => {
    if (!settings.to_segment || from_refiner.ever || lastRequest(facts, name, 'refiner_webhook') !== null)
      return []
    const isRefused = facts.intake.refused.some(
      ({ tenant, route }) => tenant === name && route.startsWith('/v1/refiner/'),
    )
    // That has a cause of its own.
    if (isRefused) return []
    const elsewhere = facts.intake.refused.some(
      ({ tenant, route }) => tenant === null && route.startsWith('/v1/refiner/'),
    )
    return [
      {
        likelihood: elsewhere ? 'certain' : 'likely',
        problem: elsewhere
          ? 'no webhook of Refiner ever came for this tenant, but some come to a URL with a name that no tenant has'
          : 'no webhook of Refiner ever came, or it is so long ago that nothing of it is kept',
        evidence: [
          settings.poll_ms === null
            ? 'Refiner is not polled either: no response can arrive'
            : 'polling found nothing so far',
        ],
        advice: [
          `in Refiner, under Integrations > Webhooks, make one for completed surveys to https://YOUR-HOST/v1/refiner/${name}`,
          'see that the URL answers from outside: `refiner-sync check --online --url https://YOUR-HOST`',
        ],
      },
    ]
  }),
}

import type { ShownTrial } from '../console/segment-trial.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { Answer } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

const SAMPLES = 10

/** Asks the daemon for whom a condition would hold, until all have been looked at. */
export function tryCondition(
  options: CommonOptions,
  { when, tenant }: { readonly when: string; readonly tenant: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    let sum: ShownTrial | null = null
    for (let after: string | null | undefined; after !== null;) {
      const answer: Answer<ShownTrial> = await client.get<ShownTrial>('/api/conditions', {
        when,
        tenant,
        after,
      })
      if (!answer.ok) {
        context.showProgress?.('')
        return fail(answer.refused, options, context)
      }
      sum = sum === null ? answer.body : added(sum, answer.body)
      after = sum.next
      if (after !== null) context.showProgress?.(`${sum.looked} users looked at`)
    }
    context.showProgress?.('')
    if (options.json) {
      const { next: _done, ...whole } = sum!
      context.print(JSON.stringify(whole, null, 2))
    } else for (const line of told(sum!)) context.print(displayed(line))
    return EXIT.ok
  })
}

function added(sum: ShownTrial, part: ShownTrial): ShownTrial {
  const failures = { ...sum.failures }
  for (const [reason, count] of Object.entries(part.failures))
    failures[reason] = (failures[reason] ?? 0) + count
  return {
    tenant: sum.tenant,
    looked: sum.looked + part.looked,
    members: sum.members + part.members,
    samples: [...sum.samples, ...part.samples].slice(0, SAMPLES),
    failures,
    next: part.next,
  }
}

function told({ tenant, looked, members, samples, failures }: ShownTrial): string[] {
  return [
    `${tenant}: it holds for ${members} of ${looked} ${looked === 1 ? 'user' : 'users'}`,
    ...samples.map((userId) => `  ${userId}`),
    ...(members > samples.length ? [`  and ${members - samples.length} more`] : []),
    ...Object.entries(failures).map(([reason, count]) => `  ! it fails for ${count}: ${reason}`),
  ]
}

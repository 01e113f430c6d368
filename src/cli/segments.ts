import { CSV_HEAD, csvLine, type ShownMember, type ShownSegment } from '../console/segments.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { Query } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

/** Lists the segments of a tenant, or of all. */
export function listSegments(
  options: CommonOptions,
  tenant: string | undefined,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<ShownSegment[]>('/api/segments', { tenant })
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else if (answer.body.length === 0) context.print('no segments: docs/segments.md says how to make one')
    else for (const segment of answer.body) context.print(displayed(line(segment)))
    return EXIT.ok
  })
}

type Shown = ShownSegment & { readonly listed: readonly ShownMember[] }

interface Named {
  readonly name: string
  readonly tenant: string | undefined
}

interface Page {
  readonly after: string | undefined
  readonly limit: number | undefined
}

/** Shows a segment and some of its members. */
export function showSegment(
  options: CommonOptions,
  { name, tenant, after, limit }: Named & Page,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<Shown>(pathOf(name), { tenant, after, limit })
    if (!answer.ok) return fail(answer.refused, options, context)
    if (options.json) context.print(JSON.stringify(answer.body, null, 2))
    else for (const text of describe(answer.body)) context.print(displayed(text))
    if (answer.headers.has('x-next-after')) {
      context.printError(
        displayed(`there are more: go on with --after ${answer.body.listed.at(-1)!.user_id}`),
      )
    }
    return EXIT.ok
  })
}

/** Prints all members of a segment, as they come: there may be more than fit into memory. */
export function exportSegment(
  options: CommonOptions,
  { name, tenant, format }: Named & { readonly format: 'csv' | 'jsonl' },
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    if (format === 'csv') context.print(CSV_HEAD)
    for (let after: string | null = ''; after !== null;) {
      const page: Query = { tenant, after, limit: PAGE }
      const answer = await client.get<Shown>(pathOf(name), page)
      if (!answer.ok) return fail(answer.refused, options, context)
      const { listed } = answer.body
      for (const member of listed) context.print(format === 'csv' ? csvLine(member) : JSON.stringify(member))
      after = answer.headers.has('x-next-after') ? listed.at(-1)!.user_id : null
      await context.drained?.()
    }
    return EXIT.ok
  })
}

const PAGE = 1000

function pathOf(name: string): string {
  return `/api/segments/${encodeURIComponent(name)}`
}

function line(segment: ShownSegment): string {
  const { tenant, name, members, complete, last_failure } = segment
  const notes = [
    ...(complete ? [] : ['still being counted']),
    ...(last_failure === null ? [] : [`its condition failed: ${last_failure.reason}`]),
  ]
  const count = `${members} ${members === 1 ? 'user' : 'users'}`
  return `${tenant}  ${name}  ${count}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`
}

function describe(segment: Shown): string[] {
  const { when, refiner_segment, to_segment, listed } = segment
  const told = [
    ...(to_segment.trait === null ? [] : [`the trait ${to_segment.trait}`]),
    ...[to_segment.entered, to_segment.left].flatMap((event) =>
      event === null ? [] : [`the event ${event}`],
    ),
  ]
  return [
    line(segment),
    `  when: ${when}`,
    ...(refiner_segment === null ? [] : [`  Refiner's segment: ${refiner_segment}`]),
    ...(told.length === 0 ? [] : [`  Segment is told: ${told.join(', ')}`]),
    ...listed.map(({ user_id, email, since }) => {
      return `  ${since}  ${user_id}${email === null ? '' : `  ${email}`}`
    }),
  ]
}

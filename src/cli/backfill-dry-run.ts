import type { ShownPreview } from '../console/backfills.ts'
import { displayed, displayedJson } from '../testing/displayed.ts'
import { type BackfillOptions, queryOf } from './backfill.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { Answer } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

/** So many responses are read at most: enough to see what it would be, few enough to wait for. */
const MOST_READ = 5000
const SAMPLES = 5

/** A dry run as it is printed for programs. */
type Sum = Omit<ShownPreview, 'cursor'> & { readonly whole: boolean }

/** Reads some of what a backfill would bring over, and says what would be sent; changes nothing. */
export function dryRun(
  options: CommonOptions,
  wish: BackfillOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    let sum: Sum | null = null
    let isStopped = false
    void context.stopped.then(() => (isStopped = true))
    for (let cursor: string | null = null; ;) {
      const answer: Answer<ShownPreview> = await client.post('/api/backfills/dry-run', {
        ...queryOf(wish),
        cursor,
      })
      if (!answer.ok) {
        context.showProgress?.('')
        return fail(answer.refused, options, context)
      }
      sum = added(sum, answer.body)
      cursor = answer.body.cursor
      if (cursor === null || sum.read >= MOST_READ || isStopped) break
      context.showProgress?.(`${sum.read} responses read`)
    }
    context.showProgress?.('')
    if (options.json) context.print(JSON.stringify(sum, null, 2))
    else for (const line of told(sum)) context.print(line)
    return EXIT.ok
  })
}

function added(sum: Sum | null, { cursor, ...part }: ShownPreview): Sum {
  if (sum === null) return { ...part, samples: part.samples.slice(0, SAMPLES), whole: cursor === null }
  return {
    dry_run: true,
    read: sum.read + part.read,
    taken: sum.taken + part.taken,
    known: sum.known + part.known,
    forgotten: sum.forgotten + part.forgotten,
    left_out: sum.left_out + part.left_out,
    copies: sum.copies + part.copies,
    skipped: sum.skipped + part.skipped,
    dead: sum.dead + part.dead,
    interactions: together(sum.interactions, part.interactions, plus),
    messages: together(sum.messages, part.messages, plus),
    surveys: together(sum.surveys, part.surveys, (a, b) => ({
      interactions: a.interactions + b.interactions,
      messages: a.messages + b.messages,
    })),
    samples: [...sum.samples, ...part.samples].slice(0, SAMPLES),
    total: part.total ?? sum.total,
    whole: cursor === null,
  }
}

const plus = (a: number, b: number) => a + b

function together<T>(
  some: Readonly<Record<string, T>>,
  others: Readonly<Record<string, T>>,
  add: (a: T, b: T) => T,
): Record<string, T> {
  const all = new Map(Object.entries(some))
  for (const [name, value] of Object.entries(others)) {
    const before = all.get(name)
    all.set(name, before === undefined ? value : add(before, value))
  }
  return Object.fromEntries(all)
}

function told(sum: Sum): string[] {
  const { read, total, whole, taken, known, forgotten, left_out, interactions, messages, surveys } = sum
  const of = whole || total === null ? '' : ` of ${total}`
  const count = Object.values(messages).reduce(plus, 0)
  const lines = [
    `${read}${of} responses read: ${taken} would be taken, ${known} known before, ${left_out} left out, ${forgotten} forgotten`,
    `${count} messages would be sent: ${named(messages) || 'none'}`,
    `  from: ${named(interactions) || 'nothing'}`,
    ...Object.entries(surveys).map(
      ([name, survey]) =>
        `  ${displayed(name)}: ${survey.interactions} interactions, ${survey.messages} messages`,
    ),
  ]
  if (sum.copies > 0) lines.push(`${sum.copies} messages were made before, and would not be sent again`)
  if (sum.skipped > 0) lines.push(`${sum.skipped} interactions would be skipped by rules or settings`)
  if (sum.dead > 0) lines.push(`${sum.dead} could not be mapped, or are over Segment's limits`)
  if (!whole && total !== null && read > 0) {
    lines.push(`that makes about ${Math.round((count / read) * total)} messages of all ${total} responses`)
  }
  for (const sample of sum.samples) lines.push('', displayedJson(sample as never))
  return [...lines, '', 'a dry run: nothing was written or sent']
}

function named(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}

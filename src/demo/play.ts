import type { Health } from '../contracts/health.ts'
import { DEMO_KEYS } from './configuration.ts'
import { messageSteps, type Step, surveySteps } from './interactions.ts'
import type { Answer, Narrator } from './narrator.ts'
import type { Stage } from './stage.ts'

/** How long one step may take from its request to its last arrival; in practice some milliseconds. */
const STEP_DEADLINE_MS = 10_000
/** Between looks at /health, which shows a delivery as settled a moment after it arrived. */
const HEALTH_PAUSE_MS = 20

/** A step that did not go as it should. Its message is for the user. */
export class PlayFailed extends Error {
  override name = 'PlayFailed'
}

/**
 * Sends the sample interactions and messages over HTTP, one after the other, each after what the one before it caused
 * has arrived. Throws PlayFailed where the daemon answers otherwise or something does not arrive in time, and the
 * signal's reason when that is aborted.
 */
export async function play(stage: Stage, narrator: Narrator, now: Date, signal: AbortSignal): Promise<void> {
  const surveys = surveySteps(now)
  const messages = messageSteps(now)
  narrator.heading('Refiner → Segment')
  for (const step of surveys) await playStep(step, stage, narrator, signal)
  narrator.heading('Segment → Refiner')
  for (const step of messages) await playStep(step, stage, narrator, signal)

  const calls = { segment: stage.segment.delivered.length, refiner: stage.refiner.calls.length }
  const refused = messages.filter(({ status }) => status !== 200).length
  narrator.heading('All of it has arrived')
  narrator.line()
  narrator.count('Refiner → Segment', `${surveys.length} interactions in, ${calls.segment} calls out`)
  narrator.count(
    'Segment → Refiner',
    `${messages.length} messages in, ${calls.refiner} calls out, ${refused} refused`,
  )
  await tellHealth(stage, narrator, signal)
}

async function playStep(step: Step, stage: Stage, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(STEP_DEADLINE_MS)
  const either = AbortSignal.any([signal, deadline])
  const before = arrivedAt(step, stage).length
  const arrived = () => arrivedAt(step, stage).slice(before)
  narrator.step(step.title)
  try {
    const answer = await send(step, stage.url, either)
    narrator.answered(step.path, answer)
    if (answer.status !== step.status) throw new PlayFailed(wrongAnswer(step, answer))
    await untilArrived(step, stage, () => includesAll(arrived(), step.arrives), either)
  } catch (error) {
    if (!deadline.aborted) throw error
    throw new PlayFailed(tooLate(step, arrived()), { cause: error })
  }
}

async function send(step: Step, url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(`${url}${step.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization(step) },
    body: JSON.stringify(step.body),
    signal,
  })
  return { status: response.status, message: messageOf(await response.text()) }
}

function authorization(step: Step): string {
  return step.from === 'refiner'
    ? `Bearer ${DEMO_KEYS.webhookSecret}`
    : `Basic ${Buffer.from(`${DEMO_KEYS.destinationKey}:`).toString('base64')}`
}

/** The `message` of a JSON answer; null when it has none. */
function messageOf(text: string): string | null {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message : null
  } catch {
    return null
  }
}

/** The calls that have arrived at the other side so far, in the words of `Step.arrives`. */
function arrivedAt(step: Step, stage: Stage): string[] {
  return step.from === 'refiner'
    ? stage.segment.delivered.map(({ message }) => String(message.type))
    : stage.refiner.calls.map(({ path }) => path)
}

function untilArrived(step: Step, stage: Stage, enough: () => boolean, signal: AbortSignal): Promise<void> {
  const standIn = step.from === 'refiner' ? stage.segment : stage.refiner
  return standIn.until(enough, signal)
}

function includesAll(arrived: readonly string[], expected: readonly string[]): boolean {
  return missing(arrived, expected).length === 0
}

/** Of `expected`, what has not arrived; each arrival stands for one of its kind. */
function missing(arrived: readonly string[], expected: readonly string[]): string[] {
  const left = [...arrived]
  return expected.filter((call) => {
    const index = left.indexOf(call)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

function wrongAnswer({ path, status }: Step, answer: Answer): string {
  return `POST ${path} was answered ${answer.status}; the demo expects ${status}`
}

function tooLate(step: Step, arrived: readonly string[]): string {
  const where = step.from === 'refiner' ? 'Segment' : 'Refiner'
  const still = missing(arrived, step.arrives).join(', ') || 'the answer'
  return `not at ${where} within ${STEP_DEADLINE_MS / 1000} s: ${still}`
}

async function tellHealth(stage: Stage, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(STEP_DEADLINE_MS)
  for (;;) {
    const response = await fetch(`${stage.url}/health`, { signal })
    const health = (await response.json()) as Health
    const settled = Object.values(health.tenants).every(({ pending }) => pending === 0)
    if (settled || deadline.aborted) return narrator.health(response.status, health)
    await Bun.sleep(HEALTH_PAUSE_MS)
  }
}

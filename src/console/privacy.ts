import type { Whom } from '../store/identities.ts'
import type { Receipt } from '../store/receipts.ts'
import { json, refusal } from './answers.ts'
import { listed } from './people.ts'
import { flagOf, idOf, unknownIn } from './query.ts'
import { iso } from './shown-delivery.ts'
import { normalEmail } from '../json/emails.ts'

/** Forgetting, as far as the operator's API needs it. */
export interface Privacy {
  /** In the order of the configuration, with those that only the database has. */
  tenants(): readonly string[]
  /** The user IDs among which an email or uuid cannot tell; null when it is one person's. */
  ambiguous(tenant: string, whom: Whom): readonly string[] | null
  /** Resolves when it is done; the same request again is the same work. Null while that takes longer. */
  forget(request: string, tenant: string, whom: Whom, by: string): Promise<Receipt | null>
  suppress(tenant: string, whom: Whom, by: string): Receipt
  lift(
    tenant: string,
    whom: Whom,
    terms: { readonly by: string; readonly alsoForgotten: boolean },
  ): Receipt | 'forgotten' | null
  receipt(id: number): Receipt | null
  receipts(before: number, limit: number): readonly Receipt[]
}

const NAMES = ['tenant', 'user', 'email', 'uuid', 'by']
const LONGEST_NAME = 100
const MOST_RECEIPTS = 500
const USUAL_LIMIT = 100

/**
 * POST /api/users/forget?tenant=&user=|email=|uuid=&by=&request=: removes all that is kept of a person; answers the
 * receipt. 202 while that is under way: the same again, with the same `request`, waits for it.
 */
export async function forgetUser(
  privacy: Privacy,
  query: URLSearchParams,
  isStopping: () => boolean,
): Promise<Response> {
  const asked = askedFor(privacy, query, [...NAMES, 'request'])
  if (asked instanceof Response) return asked
  const { tenant, whom, by } = asked
  const request = (query.get('request') ?? crypto.randomUUID()).slice(0, LONGEST_NAME)
  const receipt = await privacy.forget(request, tenant, whom, by).catch((error: unknown) => {
    if (isStopping()) return 'stopping' as const
    throw error
  })
  if (receipt === 'stopping') return refusal(503, 'refiner-sync is stopping; nothing was removed')
  return receipt === null ? json({ waiting: true, request }, 202) : json(shownReceipt(receipt))
}

/** POST /api/users/suppress?tenant=&user=|email=|uuid=&by=: drops what comes of a person from now on. */
export function suppressUser(privacy: Privacy, query: URLSearchParams): Response {
  const asked = askedFor(privacy, query, NAMES)
  if (asked instanceof Response) return asked
  return json(shownReceipt(privacy.suppress(asked.tenant, asked.whom, asked.by)))
}

/**
 * POST /api/users/unsuppress?tenant=&user=|email=|uuid=&by=&forgotten=: takes what comes of a person again; of one who was
 * forgotten only with `forgotten=true`.
 */
export function unsuppressUser(privacy: Privacy, query: URLSearchParams): Response {
  const asked = askedFor(privacy, query, [...NAMES, 'forgotten'], false)
  if (asked instanceof Response) return asked
  const alsoForgotten = flagOf(query, 'forgotten')
  if (alsoForgotten === undefined) return refusal(400, 'forgotten is true or false')
  const receipt = privacy.lift(asked.tenant, asked.whom, { by: asked.by, alsoForgotten })
  if (receipt === 'forgotten') {
    const message =
      'that person asked to be forgotten, and was not merely suppressed: if they are back as a customer, say so'
    return refusal(409, `${message} (--forgotten, or forgotten=true)`)
  }
  if (receipt === null) return refusal(404, 'nobody who goes by that was forgotten or is suppressed there')
  return json(shownReceipt(receipt))
}

/** GET /api/receipts?before=&limit=: the newest, newest first. */
export function listReceipts(privacy: Privacy, query: URLSearchParams): Response {
  const unknown = unknownIn(query, ['before', 'limit'])
  if (unknown !== null) return refusal(400, unknown)
  const before = query.has('before') ? idOf(query.get('before')!) : Number.MAX_SAFE_INTEGER
  const limit = query.has('limit') ? idOf(query.get('limit')!) : USUAL_LIMIT
  if (before === null || limit === null)
    return refusal(400, 'before is the ID of a receipt, and limit a number')
  return json(privacy.receipts(before, Math.min(limit, MOST_RECEIPTS)).map(shownReceipt))
}

/** GET /api/receipts/:id */
export function showReceipt(privacy: Privacy, id: string): Response {
  const number = idOf(id)
  const receipt = number === null ? null : privacy.receipt(number)
  return receipt === null
    ? refusal(404, `there is no receipt ${id.slice(0, 20)}`)
    : json(shownReceipt(receipt))
}

function askedFor(privacy: Privacy, query: URLSearchParams, names: readonly string[], isStrict = true) {
  const unknown = unknownIn(query, names)
  if (unknown !== null) return refusal(400, unknown)
  const whom = whomOf(query)
  if (whom === null) return refusal(400, 'name the person by one of user, email, uuid')
  if ('email' in whom && normalEmail(whom.email) === null) return refusal(400, 'that is no email')
  const tenants = privacy.tenants()
  const named = query.get('tenant')
  if (named === null && tenants.length !== 1) return refusal(400, `name the tenant: ${listed(tenants)}`)
  const tenant = named ?? tenants[0]!
  const among = isStrict ? privacy.ambiguous(tenant, whom) : null
  if (among !== null) {
    return refusal(
      409,
      `that belongs to several users; name the one that is meant by its ID: ${among.join(', ')}`,
    )
  }
  return { tenant, whom, by: (query.get('by') || 'api').slice(0, LONGEST_NAME) }
}

function whomOf(query: URLSearchParams): Whom | null {
  const given = (['user', 'email', 'uuid'] as const).filter((name) => (query.get(name) ?? '') !== '')
  const [name] = given
  if (name === undefined || given.length > 1) return null
  const value = query.get(name)!
  return name === 'user' ? { userId: value } : name === 'email' ? { email: value } : { uuid: value }
}

/** A receipt as the API shows it. */
export interface ShownReceipt {
  readonly receipt: number
  readonly tenant: string
  readonly what: Receipt['what']
  readonly by: string
  readonly asked_at: string
  readonly done_at: string
  /** Null while bytes that were freed are still to be overwritten. */
  readonly overwritten_at: string | null
  /** How many rows of each table went. */
  readonly removed: Readonly<Record<string, number>>
  /** False when so much hung together that not all of it was followed. */
  readonly complete: boolean
  readonly refiner: {
    readonly state: Receipt['refiner']
    readonly at: string | null
    readonly status: number | null
  }
  /** Stands for the identifier that was named. */
  readonly hash: string
}

function shownReceipt(receipt: Receipt): ShownReceipt {
  const { id, tenant, what, by, askedAt, doneAt, sweptAt, counts, complete, hash } = receipt
  const moment = (at: number | null) => (at === null ? null : iso(at))
  return {
    receipt: id,
    tenant,
    what,
    by,
    asked_at: iso(askedAt),
    done_at: iso(doneAt),
    overwritten_at: moment(sweptAt),
    removed: JSON.parse(counts) as Record<string, number>,
    complete: complete === 1,
    refiner: { state: receipt.refiner, at: moment(receipt.refinerAt), status: receipt.refinerStatus },
    hash,
  }
}

import { Elysia } from 'elysia'
import { requestUrl } from '../http/request-url.ts'
import { refusal } from './answers.ts'
import { exportUser } from './export-user.ts'
import { listConflicts, listUsers, type People, showUser } from './people.ts'

export interface PeopleRoutesParts {
  readonly people: People
  readonly isStopping: () => boolean
  /** Answers whoever may read, and nobody else. */
  readonly reads: <A>(request: Request, answer: () => A) => A | Response
}

/** The people, for the operator. */
export function peopleRoutes({ people, isStopping, reads }: PeopleRoutesParts) {
  const show = (request: Request, id: string | null) => showUser(people, id, queryOf(request))
  const all = (request: Request, id: string | null) => exportUser(people, id, queryOf(request), isStopping)
  return new Elysia({ name: 'people' })
    .get('/api/users', ({ request }) => reads(request, () => listUsers(people, queryOf(request), isStopping)))
    .get('/api/users/:id', ({ request, params }) =>
      reads(request, () => withId(params.id, (id) => show(request, id))),
    )
    .get('/api/users/:id/export', ({ request, params }) =>
      reads(request, () => withId(params.id, (id) => all(request, id))),
    )
    .get('/api/user', ({ request }) => reads(request, () => show(request, null)))
    .get('/api/user/export', ({ request }) => reads(request, () => all(request, null)))
    .get('/api/conflicts', ({ request }) => reads(request, () => listConflicts(people, queryOf(request))))
}

/** A parameter of the path is null where its encoding is broken. */
function withId<A>(id: string | null, answer: (id: string) => A): A | Response {
  return id === null ? refusal(400, 'the ID in the path is no percent-encoded UTF-8') : answer(id)
}

function queryOf(request: Request): URLSearchParams {
  return requestUrl(request).searchParams
}

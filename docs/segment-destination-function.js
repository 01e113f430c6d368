/* oxlint-disable no-unused-vars -- Segment calls the on… functions by their names */

// Sends what Segment gives it to refiner-sync.
//
// Settings to create:
//   endpoint  String, required             https://YOUR-HOST/v1/segment
//   apiKey    String, required, encrypted  one of the tenant's segment.destination_keys

async function onIdentify(event, settings) {
  await send(event, settings)
}

async function onTrack(event, settings) {
  await send(event, settings)
}

async function onGroup(event, settings) {
  await send(event, settings)
}

async function onDelete(event, settings) {
  await send(event, settings)
}

async function onPage() {
  throw new EventNotSupported('refiner-sync does not take page calls')
}

async function onScreen() {
  throw new EventNotSupported('refiner-sync does not take screen calls')
}

async function onAlias() {
  throw new EventNotSupported('refiner-sync does not take alias calls')
}

// Segment calls this instead of the others when there is much to send.
async function onBatch(events, settings) {
  const { errors = [] } = await send(events, settings)
  const results = events.map(() => ({ status: 200 }))
  // 400: what refiner-sync did not take is not to be sent again.
  for (const { index, message } of errors) results[index] = { status: 400, errormessage: message }
  return results
}

async function send(body, settings) {
  let response
  try {
    response = await fetch(settings.endpoint, {
      method: 'POST',
      // A followed redirect would become a GET without a body.
      redirect: 'manual',
      headers: {
        Authorization: `Bearer ${settings.apiKey}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
    })
  } catch (error) {
    throw new RetryError(`refiner-sync cannot be reached: ${error.message}`)
  }
  const answer = await readAnswer(response)
  if (response.ok && answer.success === true) return answer

  const reason = `answer ${response.status}: ${answer.message || 'not from refiner-sync, check the endpoint'}`
  switch (response.status) {
    case 501:
      throw new EventNotSupported(reason)
    case 400: // what was sent can never be taken as it is
    case 403: // the tenant or this direction is switched off
    case 413: // too large
      throw new ValidationError(reason)
    default:
      // 429 and 5xx pass. So does a wrong key or address, once someone mends it.
      throw new RetryError(reason)
  }
}

async function readAnswer(response) {
  try {
    return JSON.parse(await response.text()) || {}
  } catch {
    return {}
  }
}

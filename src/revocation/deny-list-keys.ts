/**
 * The keys in Redis. All of them have one hash tag, so that in a Cluster one script can touch any of
 * them: an entry and its announcement in the stream are written together or not at all.
 */
const tag = '{keycard}'

/** The name of the data set, while it is whole. */
export const nameKey = `${tag}:dataset`
export const generationKey = `${tag}:generation`
/** The name of the data set that a node is filling. */
export const claimKey = `${tag}:rebuild`
/** Every revocation, as it is published; kept for as long as one matters. */
export const streamKey = `${tag}:revocations`
/** How far each follower of the stream has applied it. */
export const followersKey = `${tag}:nodes`

export const tokenKey = (tokenId: string): string => `deny:jti:${tag}:${tokenId}`
export const sessionKey = (sessionId: string): string => `deny:session:${tag}:${sessionId}`
export const userKey = (userId: string): string => `deny:user:${tag}:${userId}`

/** What travelers' and merchants' apps send here. */
export const operations = {
  startCheckout: `mutation Start($input: StartCheckoutInput!) { startCheckout(input: $input) { checkout { id } } }`,
  confirmCheckout: `mutation Confirm($input: ConfirmCheckoutInput!) {
    confirmCheckout(input: $input) { payment { id status isFinal amount { amount currencyCode } total { amount currencyCode } } }
  }`,
  refundPayment: `mutation Refund($input: RefundPaymentInput!) { refundPayment(input: $input) { refund { id status } } }`,
  travelerHistory: `query TravelerHistory($first: Int!, $after: String) {
    viewer { traveler { payments(first: $first, after: $after, filter: { status: COMPLETED }) {
      edges { cursor node {
        id createdAt status amount { amount currencyCode } total { amount currencyCode }
        merchant { name city } quote { customerRate } } }
      pageInfo { hasNextPage endCursor } } } }
  }`,
  merchantHistory: `query MerchantHistory($merchantId: ID!, $first: Int!, $after: String) {
    merchant(id: $merchantId) { name payments(first: $first, after: $after) {
      nodes { id status amount { amount currencyCode } } pageInfo { hasNextPage endCursor } } }
  }`,
} as const;

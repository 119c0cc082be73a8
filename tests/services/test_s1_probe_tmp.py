from tests.services.test_authentication import *
async def test_probe(world):
    wish=f"<RequestItem>{user_id(CARD)}{item_id('X-1')}{request_id('R-1')}<RequestType>Loan</RequestType><RequestScopeType>Item</RequestScopeType></RequestItem>"
    print("REQ", (await world.send(wish)).problem)
    acc=f"<AcceptItem>{request_id('R-1')}<RequestedActionType>Hold For Pickup</RequestedActionType>{user_id(CARD)}{item_id('X-1')}</AcceptItem>"
    print("ACC", (await world.send(acc)).problem)
    a=await world.send(f"<LookupRequest>{log_in(U1,'0417')}{item_id('X-1')}<RequestType>Loan</RequestType></LookupRequest>")
    print("LOOKUP BY LOGIN", a.problem)

import time
from collections import Counter
from sqlalchemy import event
from tests.flows.office import *
from tests.flows.conftest import *
async def test_probe(office):
    calls=[]
    for e in (office.desk.database._readers, office.desk.database._writer):
        event.listen(e.sync_engine,"before_cursor_execute",lambda c,cur,st,p,ctx,many: calls.append(st))
    def shown(n):
        print(n,len(calls)); 
        for s in calls: print("    ",s[:60].replace("\n"," "))
        calls.clear()
    await office.recognised("C1",1)
    calls.clear()
    await office.report("C2",2); shown("report")
    await office.decide("C2",CaseState.RECOGNISED); shown("decide")
    stay=(await office.register("H001","V1",1)).result.admission_id; shown("register")
    await office.upload("H001",stay,*LINES); shown("upload")
    await office.discharge("H001",stay); shown("discharge")
    h=await office.commit("H001",stay,*LINES); shown("commit cold")
    print(h.code,h.result)
    r=await office.reverse("H001",h.message_id,"settlement.commit"); shown("reverse"); assert r.code=="OK"
    h=await office.commit("H001",stay,*LINES); shown("commit warm")
    from gateway.domain.commands import CancelSettlement
    c=await office.say("H001","settlement.cancel",CancelSettlement(settlement_id=h.result.settlement_id,reason="x",operator="o")); shown("cancel"); assert c.code=="OK"
    r=await office.reverse("H001",c.message_id,"settlement.cancel"); shown("reinstate"); assert r.code=="OK",r.code
    t=time.perf_counter()
    for i in range(50):
        h=await office.commit("H001",stay,*LINES)
        r=await office.reverse("H001",r.message_id if i==-1 else h.message_id,"settlement.commit")
    print("pair",(time.perf_counter()-t)/50)

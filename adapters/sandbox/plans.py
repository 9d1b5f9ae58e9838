"""The plans of the made-up stays: trauma, orthopaedics and rehabilitation at three hospitals."""

from typing import Final

from adapters.sandbox.bills import Charge, Plan, ward
from gateway.domain.bill import Relation
from gateway.domain.split import Payer

RESCUE_LINE: Final = "L0001"
"""Of the polytrauma plan: outside every catalogue, approved as needed for rescue."""
DOUBLE_LINE: Final = "L0003"
"""Of the polytrauma plan: charged twice, as the agency's check finds."""
SPOILT_LINE: Final = "L0006"
"""Of the tibia plan: uploaded a fen too high at first."""

_WARD: Final = ward("普通病房床位费(三人及以上间)", "二级护理")
_SURGICAL: Final = (
    "头孢呋辛 注射剂",
    "氟比洛芬酯 注射剂",
    "氯化钠 注射剂",
    "换药(中)",
    "低分子肝素 注射剂",
    "泮托拉唑 注射剂",
    "接骨七厘散(丸、片、胶囊)",
    "甘露醇 注射剂",
    "塞来昔布 口服常释剂型",
    "迈之灵片",
    "红外线治疗",
    "维生素C 注射剂",
    "血常规",
    "肌肉注射",
    "碳酸钙D3Ⅰ(碳酸钙D3) 口服常释剂型",
)
_CRITICAL: Final = (
    "心电监护",
    "呼吸机辅助呼吸",
    "微量注射泵使用",
    "血气分析",
    "吸痰护理",
    "氧气吸入",
    "丙泊酚 注射剂",
    "舒芬太尼 注射剂",
    "咪达唑仑 注射剂",
    "去甲肾上腺素 注射剂",
    "美罗培南 注射剂",
    "氨甲环酸 注射剂",
    "琥珀酰明胶 注射剂",
    "复方氯化钠 注射剂",
    "葡萄糖 注射剂",
    "碳酸氢钠 注射剂",
    "奥美拉唑 注射剂",
    "甲泼尼龙 注射剂",
    "生长抑素 注射剂",
    "血糖测定",
    "电解质六项",
    "凝血功能四项",
    "降钙素原测定",
    "雾化吸入",
    "特大换药",
    "负压创面治疗",
    "一次性静脉留置针",
    "银离子敷料",
    "输液泵使用",
    "胰岛素 注射剂",
    "中/长链脂肪乳(C6-24) 注射剂",
    "肠内营养剂(TP) 口服粉剂",
    "床旁X线摄影加收",
)
_TRAINING: Final = (
    "运动疗法",
    "关节松动训练",
    "作业疗法",
    "中频脉冲电治疗",
    "蜡疗",
    "推拿治疗",
    "针刺",
    "甲钴胺 口服常释剂型",
    "超短波治疗",
    "洛索洛芬 贴剂",
)


def polytrauma(lines: int, nights: int) -> Plan:
    """多发伤: intensive care, several operations, everything that a hard bill has."""
    return Plan(
        nights,
        lines,
        (*ward("重症监护病房床位费", "一级护理"), "大抢救"),
        _CRITICAL,
        (
            Charge("人凝血因子抢救用药（目录外）", code="X-RESCUE", at="1280.00", count="2"),
            Charge("降压药（与工伤无关）", 2, "7", "3.20", "X-BP", relation=Relation.UNRELATED),
            Charge("清创缝合术(大)"),
            Charge("清创缝合术(大)"),
            Charge("全身麻醉"),
            Charge("股骨干骨折髓内钉固定术", 1),
            Charge("髓内钉系统", 1, at="5200.00", consent=Payer.EMPLOYER),
            Charge("骨盆骨折切开复位内固定术", 3),
            Charge("解剖型接骨板", 3, "2", "3100.00", consent=Payer.INDIVIDUAL),
            Charge("锁定螺钉", 3, "12"),
            Charge("羟乙基淀粉130/0.4电解质 注射剂", 1, "6", back="2"),
            Charge("破伤风人免疫球蛋白 注射剂"),
            Charge("呼吸机专用护理包（目录外）", 4, "3", "98.00", "X-KIT"),
            Charge("连榆烧伤膏", 6, "2"),
            Charge("陪护费", 7, "1", "180.00", consent=Payer.INDIVIDUAL),
        ),
    )


def forearm(lines: int) -> Plan:
    """尺桡骨骨折: a short stay; one material outside the catalogue that nobody signed for."""
    return Plan(
        3,
        lines,
        _WARD[:2],
        _SURGICAL,
        (
            Charge("尺桡骨骨折切开复位内固定术"),
            Charge("臂丛神经阻滞麻醉"),
            Charge("普通接骨板"),
            Charge("皮质骨螺钉", count="8"),
            Charge("止血贴（目录外）", at="98.00", code="X-PATCH", count="2"),
            Charge("X线摄影(单部位)", 1),
            Charge("单人间病房床位费", 1, at="120.00", consent=Payer.INDIVIDUAL),
        ),
    )


def tibia(lines: int) -> Plan:
    """胫腓骨骨折: plates above the ceiling that the worker signed for, and a refund."""
    return Plan(
        12,
        lines,
        _WARD,
        _SURGICAL,
        (
            Charge("胫腓骨骨折切开复位内固定术", 1),
            Charge("椎管内麻醉", 1),
            Charge("锁定接骨板(四肢)", 1, "2", "4800.00", consent=Payer.INDIVIDUAL),
            Charge("锁定螺钉", 1, "10", back="2"),
            Charge("CT平扫", 0, "2"),
            Charge("CT三维重建"),
            Charge("一次性负压引流装置", 2),
            Charge("美容缝合皮肤胶", 1, at="360.00"),
            Charge("人用狂犬病疫苗(Vero细胞) 注射剂"),
            Charge("卡前列素氨丁三醇 注射剂", 2, at="66.00", count="2"),
            Charge("川芎", 5, "3", prescription="P5"),
            Charge("当归", 5, "3", prescription="P5"),
            Charge("黄芪", 6, "3", prescription="P6"),
        ),
    )


def hand(lines: int) -> Plan:
    """手外伤: admitted before anybody has decided about the case."""
    once = (
        Charge("清创缝合术(中)"),
        Charge("肌腱吻合术", count="2"),
        Charge("周围神经吻合术"),
        Charge("神经修复导管", at="6400.00", consent=Payer.EMPLOYER),
        Charge("破伤风抗毒素 注射剂"),
    )
    return Plan(3, lines, _WARD[:3], _SURGICAL, once)


def finger(lines: int) -> Plan:
    """指骨骨折."""
    once = (
        Charge("指骨骨折切开复位内固定术", 1),
        Charge("克氏针", 1, "3"),
        Charge("断指再植术", 1),
        Charge("特需门诊诊查费", 0, at="200.00", consent=Payer.INDIVIDUAL),
    )
    return Plan(12, lines, _WARD[:2], _SURGICAL, once)


def ankle(lines: int) -> Plan:
    """踝关节骨折."""
    once = (
        Charge("踝关节骨折内固定术", 1),
        Charge("椎管内麻醉", 1),
        Charge("空心螺钉", 1, "2", "410.00"),
        Charge("踝足矫形器", 9),
    )
    return Plan(12, lines, _WARD[:2], _SURGICAL, once)


def heel(lines: int) -> Plan:
    """跟骨骨折."""
    once = (Charge("跟骨骨折内固定术", 1), Charge("人工骨修复材料", 1), Charge("引流袋", 2, "2"))
    return Plan(12, lines, _WARD[:2], _SURGICAL, once)


def humerus(lines: int) -> Plan:
    """肱骨干骨折."""
    once = (Charge("肱骨干骨折切开复位内固定术", 1), Charge("解剖型接骨板", 1), Charge("肌电图", 8))
    return Plan(12, lines, _WARD[:2], _SURGICAL, once)


def knee(lines: int, nights: int) -> Plan:
    """半月板撕裂: half of it before the employer's late application was accepted."""
    once = (
        Charge("膝关节镜检查术", 1),
        Charge("半月板修整术", 1),
        Charge("膝关节支具", 1, at="960.00", consent=Payer.EMPLOYER),
        Charge("玻璃酸钠 注射剂", 4),
        Charge("冲击波治疗", 9, "2"),
    )
    return Plan(nights, lines, _WARD[:1], _TRAINING, once)


def shoulder(lines: int) -> Plan:
    """肩关节脱位."""
    once = (Charge("手法复位夹板固定术"), Charge("小夹板"), Charge("磁共振平扫", 1, at="430.00"))
    return Plan(12, lines, _WARD[:1], _TRAINING, once)


def training(lines: int, nights: int) -> Plan:
    """康复: rehabilitation with an approval of its own."""
    once = (
        Charge("日常生活能力评定"),
        Charge("关节活动度测定"),
        Charge("职业能力评估", max(nights - 2, 0)),
        Charge("冲击波治疗", 3, "2"),
        Charge("营养费", 4, "1", "60.00", consent=Payer.INDIVIDUAL),
    )
    daily = ward("康复病房床位费", "三级护理")[:3]
    return Plan(nights, lines, daily, _TRAINING, once)

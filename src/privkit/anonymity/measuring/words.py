"""What the report says, in English and in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from privkit.errors import InvalidParameter
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

_EN: Final[Mapping[str, str]] = {
    "html_lang": "en",
    "title": "Re-identification risk report",
    "measured": "{records} records, {columns} quasi-identifiers",
    "grade": "GB/T 42460-2023",
    "level": "level {level}",
    "level_1": "Direct identifiers are in the table: whom a record is about can be read from it.",
    "level_2": "No direct identifiers, but the most exposed record has a risk of {risk}, above the "
    "acceptable {threshold}.",
    "level_3": "No direct identifiers, and the most exposed record has a risk of {risk}, not above {threshold}.",
    "advice_1": "Remove the direct identifiers, or replace them by keyed tokens; then measure again.",
    "advice_2": "Every class needs at least {needed} records. Generalise the quasi-identifiers, leave some "
    "of them out, or release in a more protected way; then measure again.",
    "advice_3": "The threshold is met. Look also at what classes tell about sensitive columns, below.",
    "public": "public release",
    "controlled": "controlled sharing",
    "enclave": "use inside an enclave",
    "k": "k, the smallest class",
    "classes": "classes",
    "average": "records of a class, on average",
    "unique": "records alone in their class",
    "at_risk": "records above the threshold",
    "findings": "What this means",
    "finding_unique": "{count} of {records} records ({share}) are alone in their class. Whoever knows the "
    "quasi-identifiers of such a person finds that record, and all that stands in it.",
    "finding_not_unique": "No record is alone in its class: whoever knows all quasi-identifiers of a person is left "
    "with at least {k} records.",
    "finding_at_risk": "{count} records ({share}) have a risk above {threshold}: they are in classes of fewer than "
    "{needed} records.",
    "finding_one_valued": "{column}: {count} records ({share}) are in classes in which everybody has the same value. "
    "It is told without finding out which record is whose.",
    "finding_t": "{column}: the class that differs most is {t} away from the whole table (0: the same shares, 1: "
    "nothing in common).",
    "sizes": "How many records are in small classes",
    "sizes_y": "share of the records",
    "sizes_x": "records of the class",
    "curve": "How many records exceed a risk",
    "curve_y": "share of the records with at least this risk",
    "curve_x": "risk of a record (one over the records of its class)",
    "legend_above": "above the threshold of {threshold}",
    "legend_below": "not above it",
    "without": "Which column the risk comes from",
    "without_note": "What would be left if this column were left out. Generalise first what leaves the fewest records "
    "above the threshold.",
    "k_without": "k without it",
    "unique_without": "records alone without it",
    "at_risk_without": "above the threshold without it",
    "attackers": "Risk, by attacker",
    "attacker": "attacker",
    "highest": "highest",
    "mean": "average",
    "records_at_risk": "records above the threshold",
    "prosecutor": "prosecutor: knows that the person is in the table",
    "journalist": "journalist: does not know who is in the table",
    "marketer": "marketer: matches the whole table, wants many right names",
    "basis_table": "No population was given, so the table is taken for all of it. This overstates the journalist's "
    "and the marketer's risk.",
    "basis_size": "The journalist's and the marketer's risk are estimates: the table is taken for a random sample of "
    "as many people as were declared.",
    "basis_population": "The journalist's and the marketer's risk are counted in the population that was given.",
    "sensitive": "Sensitive columns",
    "column": "column",
    "values": "distinct values",
    "l": "l, distinct",
    "entropy_l": "l, entropy",
    "recursive": "c at l = 2",
    "t": "t",
    "distance": "distance",
    "one_valued": "records in classes of one value",
    "equal": "equal",
    "ordered": "ordered",
    "hierarchical": "hierarchical",
    "none": "none",
    "population": "Population",
    "population_size": "people",
    "k_map": "k-map: people that the most exposed record could be",
    "k_map_expected": "k-map, expected for the smallest class",
    "delta": "delta-presence: chance of a person to be in the table, from, to",
    "unknown": "classes of which the population knows fewer people than there are records",
    "uniques": "people unique in the population, estimated",
    "by": "{share} by {name}",
    "chosen": "chosen by the rule of Dankar et al. 2012",
    "uniques_counted": "people unique in the population, as the table shows them",
    "declared": "Declared by a person",
    "declared_note": "The program cannot check these; the level and the risk are right only if these are.",
    "quasi_identifiers": "quasi-identifiers",
    "identifiers": "direct identifiers",
    "release": "release",
    "methods": "Definitions and sources",
    "method_k": "A class is all records with the same values of all quasi-identifiers; null is a value. k-anonymity: "
    "Sweeney 2002.",
    "method_l": "l-diversity (distinct, entropy, recursive): Machanavajjhala et al. 2007. t-closeness: Li, Li and "
    "Venkatasubramanian 2007, with the ground distance that is named.",
    "method_risk": "Prosecutor, journalist, marketer: El Emam 2013; Dankar and El Emam 2010. Estimates from a size: "
    "Benedetti and Franconi 1998.",
    "method_population": "k-map: Sweeney 2002. Delta-presence: Nergiz, Atzori and Clifton 2007. Unique people: Zayatz "
    "1991; Pitman's formula, Hoshino 2001; slide negative binomial, Chen and Keller-McNulty 1998.",
    "method_level": "Level: GB/T 42460-2023, clause 4 and annex D; thresholds 1/20 public, 1/5 controlled, 1/3 "
    "enclave.",
    "footer": "The report holds counts and names of columns, no values. It measures de-identification; it does not say "
    "that data is anonymous in the sense of the law.",
}

_ZH: Final[Mapping[str, str]] = {
    "html_lang": "zh-CN",
    "title": "重标识风险评估报告",
    "measured": "{records} 条记录，{columns} 个准标识符",
    "grade": "GB/T 42460-2023",
    "level": "{level} 级",
    "level_1": "数据中含有直接标识符，可直接识别个人。",
    "level_2": "不含直接标识符，但风险最高的记录重标识风险为 {risk}，高于可接受阈值 {threshold}。",
    "level_3": "不含直接标识符，风险最高的记录重标识风险为 {risk}，不高于可接受阈值 {threshold}。",
    "advice_1": "请删除直接标识符，或以带密钥的令牌替换，然后重新评估。",
    "advice_2": "每个等价类至少需要 {needed} 条记录。请对准标识符泛化、删除部分准标识符，"
    "或改用保护更强的发布方式，然后重新评估。",
    "advice_3": "已满足阈值要求。另请查看下文中等价类对敏感属性的泄露情况。",
    "public": "完全公开共享",
    "controlled": "受控公开共享",
    "enclave": "领地公开共享",
    "k": "k（最小等价类）",
    "classes": "等价类数",
    "average": "等价类平均记录数",
    "unique": "独处一类的记录",
    "at_risk": "高于阈值的记录",
    "findings": "结论说明",
    "finding_unique": "{records} 条记录中有 {count} 条（{share}）独处一类。"
    "知道其准标识符的人即可找到该记录及其全部内容。",
    "finding_not_unique": "没有记录独处一类：即使知道某人的全部准标识符，仍有至少 {k} 条记录无法区分。",
    "finding_at_risk": "{count} 条记录（{share}）的风险高于 {threshold}：所在等价类不足 {needed} 条记录。",
    "finding_one_valued": "{column}：{count} 条记录（{share}）所在等价类的取值全部相同，"
    "无需确定哪条记录属于谁即可得知其值。",
    "finding_t": "{column}：与整体分布差异最大的等价类距离为 {t}（0 为分布相同，1 为毫无重合）。",
    "sizes": "有多少记录处于小等价类",
    "sizes_y": "记录占比",
    "sizes_x": "等价类的记录数",
    "curve": "有多少记录超过某一风险",
    "curve_y": "风险不低于该值的记录占比",
    "curve_x": "单条记录的风险（等价类记录数的倒数）",
    "legend_above": "高于阈值 {threshold}",
    "legend_below": "不高于阈值",
    "without": "风险来自哪一列",
    "without_note": "表中为去掉该列后的情况。去掉后高于阈值的记录最少的列，应优先泛化。",
    "k_without": "去掉后的 k",
    "unique_without": "去掉后独处一类的记录",
    "at_risk_without": "去掉后高于阈值的记录",
    "attackers": "按攻击者划分的风险",
    "attacker": "攻击者",
    "highest": "最高",
    "mean": "平均",
    "records_at_risk": "高于阈值的记录",
    "prosecutor": "检察官：知道目标在数据集中",
    "journalist": "记者：不知道谁在数据集中",
    "marketer": "营销者：匹配整个数据集，追求命中数量",
    "basis_table": "未提供总体，故将本数据集视为总体；记者与营销者风险因此偏高。",
    "basis_size": "记者与营销者风险为估计值：将本数据集视为所声明人数的随机抽样。",
    "basis_population": "记者与营销者风险按所提供的总体统计得出。",
    "sensitive": "敏感属性",
    "column": "列",
    "values": "不同取值数",
    "l": "l（不同值）",
    "entropy_l": "l（熵）",
    "recursive": "l = 2 时的 c",
    "t": "t",
    "distance": "距离",
    "one_valued": "所在类取值单一的记录",
    "equal": "等距",
    "ordered": "有序",
    "hierarchical": "层次",
    "none": "无",
    "population": "总体",
    "population_size": "总体人数",
    "k_map": "k-map：风险最高的记录可能对应的人数",
    "k_map_expected": "k-map：最小等价类的期望人数",
    "delta": "δ-存在性：总体中的人在数据集内的可能性，最低、最高",
    "unknown": "总体人数少于记录数的等价类",
    "uniques": "总体中唯一者（估计）",
    "by": "{share}（{name}）",
    "chosen": "按 Dankar 等（2012）的规则选用",
    "uniques_counted": "总体中唯一者（由数据集直接得出）",
    "declared": "由人员声明的信息",
    "declared_note": "程序无法核实以下内容；仅当其正确时，等级与风险才正确。",
    "quasi_identifiers": "准标识符",
    "identifiers": "直接标识符",
    "release": "共享方式",
    "methods": "定义与来源",
    "method_k": "等价类：全部准标识符取值相同的记录；空值也是一种取值。k-匿名：Sweeney 2002。",
    "method_l": "l-多样性（不同值、熵、递归）：Machanavajjhala 等 2007。t-接近性：Li、Li、Venkatasubramanian 2007，"
    "采用表中所列的距离。",
    "method_risk": "检察官、记者、营销者模型：El Emam 2013；Dankar 与 El Emam 2010。"
    "按人数的估计：Benedetti 与 Franconi 1998。",
    "method_population": "k-map：Sweeney 2002。δ-存在性：Nergiz、Atzori、Clifton 2007。总体唯一者：Zayatz 1991；"
    "Pitman 公式，Hoshino 2001；滑动负二项，Chen 与 Keller-McNulty 1998。",
    "method_level": "等级：GB/T 42460-2023 第 4 章及附录 D；"
    "阈值：完全公开共享 1/20，受控公开共享 1/5，领地公开共享 1/3。",
    "footer": "本报告仅含计数与列名，不含数据取值。本报告评估去标识化效果，不表示数据已达到法律意义上的匿名化。",
}

LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {"en": _EN, "zh": _ZH}


def words_of(language: str) -> Mapping[str, str]:
    """The words of a language.

    Raises:
        InvalidParameter: If the report does not speak it.
    """
    if language not in LANGUAGES:
        raise InvalidParameter(f"the report does not speak {language!r}{nearest(language, LANGUAGES)}")
    return LANGUAGES[language]
